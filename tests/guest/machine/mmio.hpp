// SPDX-License-Identifier: BSD-3-Clause
// Device accesses of exactly one instruction, with a syndrome that a hypervisor can decode.
#pragma once

#include <cstdint>

namespace test::mmio {

inline std::uint8_t read8(std::uint64_t address) {
    std::uint32_t value = 0;
    asm volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return static_cast<std::uint8_t>(value);
}
inline std::uint16_t read16(std::uint64_t address) {
    std::uint32_t value = 0;
    asm volatile("ldrh %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return static_cast<std::uint16_t>(value);
}
inline std::uint32_t read32(std::uint64_t address) {
    std::uint32_t value = 0;
    asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
inline std::uint64_t read64(std::uint64_t address) {
    std::uint64_t value = 0;
    asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
inline void write8(std::uint64_t address, std::uint8_t value) {
    asm volatile("strb %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}
inline void write16(std::uint64_t address, std::uint16_t value) {
    asm volatile("strh %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}
inline void write32(std::uint64_t address, std::uint32_t value) {
    asm volatile("str %w0, [%1]" : : "r"(value), "r"(address) : "memory");
}
inline void write64(std::uint64_t address, std::uint64_t value) {
    asm volatile("str %0, [%1]" : : "r"(value), "r"(address) : "memory");
}

} // namespace test::mmio
