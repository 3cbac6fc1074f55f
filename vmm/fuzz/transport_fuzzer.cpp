// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the registers of virtio-mmio, with queues that a driver sets up through them.
#include <algorithm>
#include <vector>

#include "fuzz/fuzz_input.hpp"
#include "virtio/mmio_transport.hpp"
#include "virtio/rng_device.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint64_t ram_base = 0x10'0000;
    vmm::fuzz::FuzzInput input{data, size};
    std::vector<std::byte> ram(0x1'0000);
    vmm::RngDevice device{[](std::span<std::byte> bytes) {
        std::ranges::fill(bytes, std::byte{0x5a});
        return true;
    }};
    unsigned faults = 0;
    vmm::MmioTransport transport{device,
                                 {ram_base, ram},
                                 {.interrupt = [] {},
                                  .kick = [](unsigned) {},
                                  .fault = [&](std::string_view) { ++faults; }}};
    while (!input.empty()) {
        const auto action = input.take<std::uint8_t>();
        const auto offset = input.take<std::uint16_t>();
        switch (action % 4) {
        case 0:
            transport.write(offset % 0x200, 4, input.take<std::uint32_t>());
            break;
        case 1:
            transport.read(offset % 0x200, 1U << (action >> 6));
            break;
        case 2: {
            const auto bytes = input.take_bytes(action >> 2);
            const std::size_t count = std::min<std::size_t>(bytes.size(), ram.size() - offset);
            std::ranges::copy(bytes.first(count), ram.begin() + offset);
            break;
        }
        default:
            transport.service(offset);
        }
    }
    return 0;
}
