// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for device registers: a bus on which tests put models of devices.
#pragma once

#include <cstdint>

namespace hyp::arch {

std::uint32_t mmio_read32(std::uintptr_t address);
std::uint64_t mmio_read64(std::uintptr_t address);
void mmio_write32(std::uintptr_t address, std::uint32_t value);
void mmio_write64(std::uintptr_t address, std::uint64_t value);

} // namespace hyp::arch

namespace hyp::fake {

/// A device model; `offset` is from the base it was put at, `size` is 1, 4 or 8 bytes.
class MmioDevice {
public:
    virtual ~MmioDevice() = default;
    virtual std::uint64_t read(std::uint64_t offset, unsigned size) = 0;
    virtual void write(std::uint64_t offset, unsigned size, std::uint64_t value) = 0;
};

/// Puts a model on the bus; an access to an address without one aborts the test.
void put_mmio(std::uintptr_t base, std::uint64_t size, MmioDevice& device);
void remove_mmio(MmioDevice& device);

} // namespace hyp::fake
