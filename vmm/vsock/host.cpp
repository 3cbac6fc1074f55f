// SPDX-License-Identifier: BSD-3-Clause
// VsockHost: who is meant by a packet, and who has the next one for the guest.
#include "vsock/host.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace vmm {

VsockHost::VsockHost(std::uint64_t guest_cid, gunyah::FileDescriptor listener, Connector connector)
    : guest_cid_{guest_cid}, listener_{std::move(listener)}, connector_{std::move(connector)},
      data_(read_size) {
    listen(true);
}

void VsockHost::listen(bool wanted) {
    if (wanted == listening_) {
        return;
    }
    listening_ = wanted;
    if (wanted) {
        waiting_.add(listener_.get(), listener_id, EPOLLIN);
    } else {
        waiting_.remove(listener_.get());
    }
}

void VsockHost::poll() {
    std::array<WaitSet::Ready, 64> ready;
    const std::size_t count = waiting_.poll(ready);
    for (const auto& [id, events] : std::span{ready}.first(count)) {
        if (id == listener_id) {
            accept();
        } else if (const auto found = connections_.find(id); found != connections_.end()) {
            handle_event(id, found->second, events);
        }
    }
}

void VsockHost::accept() {
    gunyah::FileDescriptor program{
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    const bool has_failed = !program && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
    if (program) {
        add(VsockConnection{std::move(program)});
    }
    // Out of descriptors, or of our own places: go on when a connection has ended.
    if (has_failed || connections_.size() >= most_connections) {
        listen(false);
    }
}

VsockHost::Entry* VsockHost::add(VsockConnection connection) {
    if (connections_.size() >= most_connections) {
        return nullptr;
    }
    const Id id = next_id_++;
    Entry& entry = connections_.emplace(id, Entry{std::move(connection)}).first->second;
    if (entry.connection.state() == VsockConnection::State::established) {
        by_ports_[{entry.connection.guest_port(), entry.connection.host_port()}] = id;
    }
    settle(id, entry);
    return &entry;
}

void VsockHost::handle_event(Id id, Entry& entry, std::uint32_t events) {
    VsockConnection& connection = entry.connection;
    if (connection.state() == VsockConnection::State::greeting) {
        greet(id, entry);
        return;
    }
    if ((events & EPOLLOUT) != 0) {
        connection.write_out();
    }
    entry.readable = entry.readable || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    const bool is_read_out = !connection.is_readable();
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && is_read_out) {
        connection.program_has_gone();
    }
    settle(id, entry);
}

void VsockHost::greet(Id id, Entry& entry) {
    if (const auto guest_port = entry.connection.read_greeting()) {
        while (by_ports_.contains({*guest_port, next_host_port_})) {
            ++next_host_port_;
        }
        entry.connection.request(*guest_port, next_host_port_);
        by_ports_[{*guest_port, next_host_port_++}] = id;
    }
    settle(id, entry);
}

void VsockHost::settle(Id id, Entry& entry) {
    VsockConnection& connection = entry.connection;
    watch(id, entry);
    const bool has_work = connection.has_control() || (entry.readable && connection.is_readable());
    if (connection.state() == VsockConnection::State::finished && !has_work) {
        forget(id);
    } else if (has_work && !entry.queued) {
        entry.queued = true;
        ready_.push_back(id);
    }
}

void VsockHost::watch(Id id, Entry& entry) {
    const auto wanted = entry.connection.wanted_events();
    const int fd = entry.connection.fd();
    if (entry.watched >= 0 && (!wanted || fd != entry.watched)) {
        if (fd == entry.watched) { // else it is closed and has left by itself
            waiting_.remove(fd);
        }
        entry.watched = -1;
    }
    if (wanted && entry.watched < 0 && fd >= 0) {
        entry.watched = waiting_.add(fd, id, *wanted) ? fd : -1;
    } else if (wanted && entry.watched >= 0 && entry.events != *wanted) {
        waiting_.change(fd, id, *wanted);
    }
    entry.events = wanted.value_or(0);
}

void VsockHost::forget(Id id) {
    const auto found = connections_.find(id);
    const VsockConnection& connection = found->second.connection;
    const Ports ports{connection.guest_port(), connection.host_port()};
    const auto address = by_ports_.find(ports);
    if (address != by_ports_.end() && address->second == id) {
        by_ports_.erase(address);
    }
    connections_.erase(found);
    listen(true);
}

void VsockHost::receive(const VsockHeader& header,
                        std::span<const std::span<const std::byte>> payload) {
    const bool for_us = header.source_cid == guest_cid_ &&
                        header.destination_cid == vsock_host_cid && header.type == vsock_stream;
    const auto found = by_ports_.find({header.source_port, header.destination_port});
    if (for_us && found != by_ports_.end()) {
        const Id id = found->second;
        Entry& entry = connections_.at(id);
        entry.connection.receive(header, payload);
        if (header.operation == VsockOperation::reset) {
            by_ports_.erase(found); // what is left of it is not the guest's any more
        }
        settle(id, entry);
    } else if (for_us && header.operation == VsockOperation::request) {
        connect(header);
    } else if (header.operation != VsockOperation::reset) {
        refuse(header);
    }
}

void VsockHost::connect(const VsockHeader& request) {
    gunyah::FileDescriptor program = connector_(request.destination_port);
    if (!program || add(VsockConnection{std::move(program), request}) == nullptr) {
        refuse(request);
    }
}

// 5.10.6.4: what belongs to no connection is answered with RST.
void VsockHost::refuse(const VsockHeader& header) {
    resets_.push_back({.source_cid = header.destination_cid,
                       .destination_cid = header.source_cid,
                       .source_port = header.destination_port,
                       .destination_port = header.source_port,
                       .length = 0,
                       .type = header.type,
                       .operation = VsockOperation::reset,
                       .flags = 0,
                       .buffer_size = 0,
                       .forwarded = 0});
}

VsockHeader VsockHost::addressed(VsockHeader header, const VsockConnection& connection) const {
    header.source_cid = vsock_host_cid;
    header.destination_cid = guest_cid_;
    header.source_port = connection.host_port();
    header.destination_port = connection.guest_port();
    return header;
}

bool VsockHost::has_packet() {
    if (next_) {
        return true;
    }
    if (!resets_.empty()) {
        next_ = resets_.front();
        resets_.pop_front();
        return true;
    }
    while (!ready_.empty()) {
        const Id id = ready_.front();
        ready_.pop_front();
        const auto found = connections_.find(id);
        if (found == connections_.end()) {
            continue;
        }
        found->second.queued = false;
        const bool prepared = prepare(found->second);
        settle(id, found->second); // to the end of the line, if it has more
        if (prepared) {
            return true;
        }
    }
    return false;
}

bool VsockHost::prepare(Entry& entry) {
    VsockConnection& connection = entry.connection;
    if (const auto control = connection.take_control()) {
        next_ = addressed(*control, connection);
        return true;
    }
    if (!entry.readable || !connection.is_readable()) {
        return false;
    }
    const std::size_t count = connection.read(data_);
    if (count == 0) {
        entry.readable = false; // perhaps the end: has_control() knows
        return false;
    }
    data_begin_ = 0;
    data_end_ = count;
    VsockHeader header;
    header.operation = VsockOperation::data;
    header.length = static_cast<std::uint32_t>(count);
    connection.announce(header);
    next_ = addressed(header, connection);
    return true;
}

VsockHost::Packet VsockHost::take_packet(std::size_t most) {
    Packet packet{.header = *next_, .payload = {}};
    if (next_->operation == VsockOperation::data) {
        const std::size_t count = std::min(most, data_end_ - data_begin_);
        packet.payload = std::span{data_}.subspan(data_begin_, count);
        packet.header.length = static_cast<std::uint32_t>(count);
        data_begin_ += count;
        if (data_begin_ < data_end_) {
            return packet; // the rest with the next buffer
        }
    }
    next_.reset();
    return packet;
}

void VsockHost::reset() {
    connections_.clear();
    by_ports_.clear();
    ready_.clear();
    resets_.clear();
    next_.reset();
    listen(true);
}

} // namespace vmm
