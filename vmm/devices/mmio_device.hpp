// SPDX-License-Identifier: BSD-3-Clause
// MmioDevice: something that answers guest accesses to a range of physical addresses.
#pragma once

#include <cstdint>

namespace vmm {

// Called by any vCPU thread, several at a time.
class MmioDevice {
public:
    virtual ~MmioDevice() = default;

    // `offset` counts from the device's base; `size` is 1, 2, 4 or 8 bytes and the access does not
    // leave the device. Only the low `size` bytes of values count.
    virtual std::uint64_t read(std::uint64_t offset, unsigned size) = 0;
    virtual void write(std::uint64_t offset, unsigned size, std::uint64_t value) = 0;
};

} // namespace vmm
