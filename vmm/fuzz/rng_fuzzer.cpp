// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the entropy device's queue.
#include <algorithm>

#include "fuzz/device_driver.hpp"
#include "virtio/rng_device.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    vmm::RngDevice device{[](std::span<std::byte> bytes) {
        std::ranges::fill(bytes, std::byte{0x5a});
        return bytes.size() % 7 != 0; // sometimes there are no random numbers
    }};
    vmm::fuzz::drive(device, input);
    return 0;
}
