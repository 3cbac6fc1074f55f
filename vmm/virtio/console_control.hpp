// SPDX-License-Identifier: BSD-3-Clause
// ConsoleControl: what device and driver tell each other of a console's ports (VIRTIO 1.2, 5.3.6).
#pragma once

#include <cstdint>
#include <expected>
#include <mutex>
#include <string>
#include <vector>

#include "virtio/descriptor_chain.hpp"
#include "virtio/queue_error.hpp"

namespace vmm {

// Characters that a terminal shows.
struct ConsoleSize {
    std::uint16_t columns = 0;
    std::uint16_t rows = 0;

    bool operator==(const ConsoleSize&) const = default;
};

// A port as the driver knows it:
//
//     unknown --DEVICE_READY 1--> added --PORT_READY 1--> ready        reset: all are unknown
//
// What it must be told is one bit per kind of message and port: a driver that asks again and again
// makes nothing grow, and one that is late learns the newest state. Any thread.
class ConsoleControl {
public:
    static constexpr std::size_t longest_name = 64;

    // A port with an empty name is a console, another one a stream for programs. Names have at most
    // longest_name bytes.
    explicit ConsoleControl(const std::vector<std::string>& names);

    // The driver's message; false: it is too short to be one. A message that the driver must not
    // send, or about a port that there is not, is ignored.
    [[nodiscard]] bool handle(const DescriptorChain& chain);
    // Whether there is something to tell; what, goes into the chain.
    [[nodiscard]] bool has_message();
    [[nodiscard]] std::expected<std::uint32_t, QueueError> fill(const DescriptorChain& chain);

    // Whether a program of the guest has the port open, as the driver says.
    [[nodiscard]] bool guest_has_open(std::uint32_t port);
    // Somebody is at the host's end of the port, or nobody. All ports begin with somebody.
    void set_host_open(std::uint32_t port, bool open);
    void set_size(std::uint32_t port, ConsoleSize size);

    // The driver reset the device: it knows of no port.
    void reset();

private:
    enum class State { unknown, added, ready };
    // In the order in which the driver must learn them.
    enum Message : unsigned {
        tell_port,
        tell_console,
        tell_name,
        tell_open,
        tell_size,
        message_count
    };

    struct Port {
        std::string name;
        ConsoleSize size;
        State state = State::unknown;
        unsigned due = 0; // one bit per Message
        bool host_open = true;
        bool guest_open = false;
    };

    static void request(Port& port, Message message) { port.due |= 1U << message; }
    void answer_device_ready();
    static void answer_port_ready(Port& port);
    static std::vector<std::byte> encode(std::uint32_t id, const Port& port, Message message);

    std::mutex mutex_; // guards ports_
    std::vector<Port> ports_;
};

} // namespace vmm
