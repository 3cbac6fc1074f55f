// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the console device's queues, those for control among them, with a host that types,
// attaches, leaves, resizes and is slow.
#include <cstdlib>
#include <numeric>

#include "fuzz/device_driver.hpp"
#include "virtio/console_device.hpp"

namespace {

struct Host {
    vmm::ConsolePortSettings settings(const char* name) {
        return {.name = name,
                .sink = {.write =
                             [this](std::span<const std::byte> bytes) {
                                 printed = std::accumulate(
                                     bytes.begin(), bytes.end(), printed,
                                     [](unsigned sum, std::byte byte) {
                                         return sum + std::to_integer<unsigned>(byte);
                                     });
                             },
                         .has_room = [this] { return !slow; }}};
    }

    unsigned printed = 0;
    bool slow = false;
};

void act(vmm::fuzz::FuzzInput& input, vmm::ConsoleDevice& device, Host& host) {
    const auto action = input.take<std::uint8_t>();
    const auto port = static_cast<std::uint32_t>(action / 4 % device.port_count());
    switch (action % 4) {
    case 0:
        device.port(port).receive(input.take_bytes(input.take<std::uint8_t>()));
        break;
    case 1:
        device.set_size(
            port, {.columns = input.take<std::uint16_t>(), .rows = input.take<std::uint16_t>()});
        break;
    case 2:
        device.set_host_open(port, (action & 0x80) != 0);
        break;
    default:
        host.slow = (action & 0x80) != 0;
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    Host host;
    std::vector<vmm::ConsolePortSettings> ports{host.settings("")};
    if ((input.take<std::uint8_t>() & 1) != 0) {
        ports.push_back(host.settings("org.agent"));
        ports.push_back(host.settings(""));
    }
    vmm::ConsoleDevice device{std::move(ports)};
    device.on_ready([&](unsigned queue) {
        if (queue >= device.queue_sizes().size()) {
            std::abort();
        }
    });
    vmm::fuzz::drive(device, input, [&](vmm::fuzz::FuzzInput& rest) { act(rest, device, host); });
    return 0;
}
