// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the console device's queues, with a host that types.
#include <numeric>

#include "fuzz/device_driver.hpp"
#include "virtio/console_device.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    unsigned printed = 0;
    vmm::ConsoleDevice device{[&](std::span<const std::byte> bytes) {
        printed =
            std::accumulate(bytes.begin(), bytes.end(), printed, [](unsigned sum, std::byte byte) {
                return sum + std::to_integer<unsigned>(byte);
            });
    }};
    vmm::fuzz::drive(device, input, [&](vmm::fuzz::FuzzInput& typed) {
        const auto count = typed.take<std::uint8_t>();
        device.receive(typed.take_bytes(count));
    });
    return 0;
}
