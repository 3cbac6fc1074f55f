// SPDX-License-Identifier: BSD-3-Clause
// MmioBus: finds the device that a guest access is for.
#pragma once

#include <cstdint>
#include <vector>

#include "devices/mmio_device.hpp"

namespace vmm {

// Devices are added before the guest runs; after that any thread may access. Addresses that belong
// to no device read as zero and ignore writes, like a bus without a device behind it.
class MmioBus {
public:
    // `device` must outlive the bus. Ranges do not overlap: throws std::logic_error if they do.
    void add(std::uint64_t base, std::uint64_t size, MmioDevice& device);

    [[nodiscard]] std::uint64_t read(std::uint64_t address, unsigned size) const;
    void write(std::uint64_t address, unsigned size, std::uint64_t value) const;

private:
    struct Range {
        std::uint64_t base;
        std::uint64_t size;
        MmioDevice* device;
    };

    [[nodiscard]] const Range* find(std::uint64_t address, unsigned size) const;

    std::vector<Range> ranges_;
};

} // namespace vmm
