// SPDX-License-Identifier: BSD-3-Clause
// Loads and stores to device registers: one access of exactly the given size each, in order among
// themselves (device memory), by EL2 virtual address.
#pragma once

#include <cstdint>

namespace hyp::arch {

inline std::uint32_t mmio_read32(std::uintptr_t address) {
    std::uint32_t value;
    asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
inline std::uint64_t mmio_read64(std::uintptr_t address) {
    std::uint64_t value;
    asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
inline void mmio_write32(std::uintptr_t address, std::uint32_t value) {
    asm volatile("str %w0, [%1]" : : "rZ"(value), "r"(address) : "memory");
}
inline void mmio_write64(std::uintptr_t address, std::uint64_t value) {
    asm volatile("str %x0, [%1]" : : "rZ"(value), "r"(address) : "memory");
}

} // namespace hyp::arch
