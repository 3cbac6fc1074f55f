// SPDX-License-Identifier: BSD-3-Clause
// ConsoleControl: messages in, messages out.
#include "virtio/console_control.hpp"

#include <linux/virtio_console.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace vmm {

ConsoleControl::ConsoleControl(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        ports_.emplace_back().name = name.substr(0, longest_name);
    }
}

bool ConsoleControl::handle(const DescriptorChain& chain) {
    virtio_console_control message{};
    auto pieces = chain.readable;
    if (!take_front(pieces, std::as_writable_bytes(std::span{&message, 1}))) {
        return false;
    }
    const std::scoped_lock lock{mutex_};
    if (message.event == VIRTIO_CONSOLE_DEVICE_READY) { // 5.3.6.2: id is of no meaning
        if (message.value == 1) {
            answer_device_ready();
        }
        return true;
    }
    if (message.id >= ports_.size()) {
        return true;
    }
    Port& port = ports_[message.id];
    if (message.event == VIRTIO_CONSOLE_PORT_READY && message.value == 1) {
        answer_port_ready(port);
    } else if (message.event == VIRTIO_CONSOLE_PORT_OPEN) {
        port.guest_open = message.value == 1;
    }
    return true;
}

void ConsoleControl::answer_device_ready() {
    for (Port& port : ports_) {
        if (port.state == State::unknown) {
            port.state = State::added;
            request(port, tell_port);
        }
    }
}

void ConsoleControl::answer_port_ready(Port& port) {
    if (port.state != State::added) {
        return;
    }
    port.state = State::ready;
    request(port, port.name.empty() ? tell_console : tell_name);
    request(port, tell_open);
    if (port.name.empty() && port.size != ConsoleSize{}) {
        request(port, tell_size);
    }
}

bool ConsoleControl::has_message() {
    const std::scoped_lock lock{mutex_};
    return std::ranges::any_of(ports_, [](const Port& port) { return port.due != 0; });
}

std::expected<std::uint32_t, QueueError> ConsoleControl::fill(const DescriptorChain& chain) {
    const std::scoped_lock lock{mutex_};
    const auto port = std::ranges::find_if(ports_, [](const Port& each) { return each.due != 0; });
    if (port == ports_.end()) {
        return 0; // a reset came between the question and the chain
    }
    const auto message = static_cast<Message>(std::countr_zero(port->due));
    const auto bytes = encode(static_cast<std::uint32_t>(port - ports_.begin()), *port, message);
    if (total_size(chain.writable) < bytes.size()) {
        return std::unexpected{QueueError::bad_request};
    }
    port->due &= ~(1U << message);
    return static_cast<std::uint32_t>(scatter(bytes, chain.writable));
}

std::vector<std::byte> ConsoleControl::encode(std::uint32_t id, const Port& port, Message message) {
    virtio_console_control header{.id = id, .event = 0, .value = 1};
    std::string extra;
    switch (message) {
    case tell_port:
        header.event = VIRTIO_CONSOLE_PORT_ADD;
        break;
    case tell_console:
        header.event = VIRTIO_CONSOLE_CONSOLE_PORT;
        break;
    case tell_name:
        header.event = VIRTIO_CONSOLE_PORT_NAME;
        extra = port.name;
        break;
    case tell_open:
        header.event = VIRTIO_CONSOLE_PORT_OPEN;
        header.value = port.host_open ? 1 : 0;
        break;
    case tell_size: {
        header.event = VIRTIO_CONSOLE_RESIZE;
        // 5.3.6.2: columns first. Linux read rows first until 2025; the kernels of such guests have
        // the two swapped.
        const std::uint16_t size[]{port.size.columns, port.size.rows};
        extra.assign(reinterpret_cast<const char*>(size), sizeof(size));
        break;
    }
    case message_count:
        break;
    }
    std::vector<std::byte> bytes(sizeof(header) + extra.size());
    std::memcpy(bytes.data(), &header, sizeof(header));
    std::memcpy(bytes.data() + sizeof(header), extra.data(), extra.size());
    return bytes;
}

bool ConsoleControl::guest_has_open(std::uint32_t port) {
    const std::scoped_lock lock{mutex_};
    return ports_[port].guest_open;
}

void ConsoleControl::set_host_open(std::uint32_t port, bool open) {
    const std::scoped_lock lock{mutex_};
    ports_[port].host_open = open;
    if (ports_[port].state == State::ready) {
        request(ports_[port], tell_open);
    }
}

void ConsoleControl::set_size(std::uint32_t port, ConsoleSize size) {
    const std::scoped_lock lock{mutex_};
    ports_[port].size = size;
    if (ports_[port].state == State::ready && ports_[port].name.empty()) {
        request(ports_[port], tell_size);
    }
}

void ConsoleControl::reset() {
    const std::scoped_lock lock{mutex_};
    for (Port& port : ports_) {
        port.state = State::unknown;
        port.due = 0;
        port.guest_open = false;
    }
}

} // namespace vmm
