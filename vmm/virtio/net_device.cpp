// SPDX-License-Identifier: BSD-3-Clause
// NetDevice: frames between queues and backend (VIRTIO 1.2, 5.1.6).
#include "virtio/net_device.hpp"

#include <linux/virtio_ids.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace vmm {
namespace {

constexpr std::array<std::uint16_t, 2> sizes{256, 256};
constexpr std::size_t header_size = sizeof(NetHeader);
constexpr std::size_t shortest_frame = 14; // an Ethernet header

// Copies `from` into pieces of memory, one call after the other.
class Writer {
public:
    explicit Writer(std::span<const DescriptorChain> chains) : chains_{chains} {}

    void write(std::span<const std::byte> from) {
        while (!from.empty() && chain_ < chains_.size()) {
            const auto& pieces = chains_[chain_].writable;
            if (piece_ == pieces.size()) {
                ++chain_;
                piece_ = 0;
                continue;
            }
            const auto room = pieces[piece_].subspan(offset_);
            const std::size_t count = std::min(room.size(), from.size());
            std::ranges::copy(from.first(count), room.begin());
            from = from.subspan(count);
            offset_ += count;
            if (offset_ == pieces[piece_].size()) {
                ++piece_;
                offset_ = 0;
            }
        }
    }

private:
    std::span<const DescriptorChain> chains_;
    std::size_t chain_ = 0;
    std::size_t piece_ = 0;
    std::size_t offset_ = 0;
};

} // namespace

NetDevice::NetDevice(std::unique_ptr<NetBackend> backend, const MacAddress& mac, std::uint16_t mtu,
                     std::function<void()> closed)
    : backend_{std::move(backend)}, closed_{std::move(closed)} {
    std::ranges::copy(mac, config_.mac);
    config_.status = net_link_up;
    config_.mtu = mtu;
    // Not in the set while there is nothing to wait for: a closed end is always ready.
}

std::uint32_t NetDevice::device_id() const {
    return VIRTIO_ID_NET;
}

std::uint64_t NetDevice::features() const {
    return feature(net_feature::mac) | feature(net_feature::status) | feature(net_feature::mtu) |
           feature(net_feature::mergeable_buffers) | backend_->offloads();
}

std::span<const std::uint16_t> NetDevice::queue_sizes() const {
    return sizes;
}

std::span<const std::byte> NetDevice::config() const {
    return std::as_bytes(std::span{&config_, 1});
}

void NetDevice::negotiated(std::uint64_t features) {
    mergeable_ = (features & feature(net_feature::mergeable_buffers)) != 0;
    backend_->use_offloads(features);
}

void NetDevice::reset() {
    mergeable_ = false;
    held_.clear();
    held_size_ = 0;
    backend_->use_offloads(0);
    wait_for(0);
}

void NetDevice::wait_for(std::uint32_t events) {
    if (!backend_->is_open()) {
        events = 0;
    }
    if (events == events_) {
        return;
    }
    if (events_ == 0) {
        waiting_.add(backend_->fd(), 0, events);
    } else if (events == 0) {
        waiting_.remove(backend_->fd());
    } else {
        waiting_.change(backend_->fd(), 0, events);
    }
    events_ = events;
}

std::expected<bool, QueueError> NetDevice::process(unsigned index, Virtqueue& queue) {
    std::expected<bool, QueueError> again{false};
    if (index == receive_queue) {
        again = receive(queue);
    } else {
        bool blocked = false;
        again = drain(
            queue, [this](DescriptorChain& chain) { return transmit(chain); },
            [&] {
                blocked = !backend_->can_send();
                return !blocked;
            });
        wait_for(blocked ? events_ | EPOLLOUT : events_ & ~std::uint32_t{EPOLLOUT});
    }
    look_after_backend();
    return again;
}

void NetDevice::look_after_backend() {
    if (!backend_->is_open() && closed_) {
        wait_for(0);
        config_.status = 0;
        config_changed_ = true;
        std::exchange(closed_, {})();
    }
}

// At most a queue's length of frames and of looks at the queue, so that nobody can keep the caller.
std::expected<bool, QueueError> NetDevice::receive(Virtqueue& queue) {
    queue.suppress_kicks();
    for (unsigned budget = queue.size(); budget > 0; --budget) {
        const auto frame = backend_->front();
        if (!frame) {
            wait_for(events_ | EPOLLIN);
            return false; // more buffers would change nothing: kicks stay suppressed
        }
        const auto room = gather(queue, header_size + frame->bytes.size());
        if (!room) {
            return std::unexpected{room.error()};
        }
        if (*room == Room::none) {
            if (!queue.allow_kicks()) {
                wait_for(events_ & ~std::uint32_t{EPOLLIN});
                return false;
            }
            queue.suppress_kicks();
            continue;
        }
        if (*room == Room::enough) {
            deliver(queue, *frame);
        }
        backend_->pop();
    }
    queue.allow_kicks();
    return true;
}

// Takes buffers until they hold `size` bytes; without mergeable buffers one must (5.1.6.4).
std::expected<NetDevice::Room, QueueError> NetDevice::gather(Virtqueue& queue, std::size_t size) {
    while (held_size_ < size) {
        if (!mergeable_ && !held_.empty()) {
            return Room::too_small;
        }
        auto chain = queue.pop();
        if (!chain) {
            return std::unexpected{chain.error()};
        }
        if (!chain->has_value()) {
            return Room::none;
        }
        const std::uint64_t room = total_size((*chain)->writable);
        if (room < header_size || held_.size() == queue.size()) {
            return std::unexpected{QueueError::bad_request};
        }
        held_.push_back(std::move(**chain));
        held_size_ += room;
    }
    return Room::enough;
}

void NetDevice::deliver(Virtqueue& queue, const NetFrame& frame) {
    NetHeader header = frame.header;
    header.buffers = static_cast<std::uint16_t>(held_.size());
    Writer writer{held_};
    writer.write(std::as_bytes(std::span{&header, 1}));
    writer.write(frame.bytes);
    std::uint64_t rest = header_size + frame.bytes.size();
    std::vector<UsedChain> used;
    used.reserve(held_.size());
    for (const DescriptorChain& chain : held_) {
        const std::uint64_t written = std::min(rest, total_size(chain.writable));
        used.push_back({chain.head, static_cast<std::uint32_t>(written)});
        rest -= written;
    }
    held_.clear();
    held_size_ = 0;
    queue.push(used);
}

std::expected<std::uint32_t, QueueError> NetDevice::transmit(DescriptorChain& chain) {
    NetHeader header{};
    if (!take_front(chain.readable, std::as_writable_bytes(std::span{&header, 1}))) {
        return std::unexpected{QueueError::bad_request};
    }
    const std::uint64_t size = total_size(chain.readable);
    if (size >= shortest_frame && size <= NetBackend::longest_frame) {
        backend_->send(header, chain.readable);
    }
    return 0;
}

} // namespace vmm
