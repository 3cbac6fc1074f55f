// SPDX-License-Identifier: BSD-3-Clause
// The EL1 and EL0 system registers that belong to a vCPU and that a program at EL1 can set freely.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace test {

/// One register: how it is read and written, and which bits of a pattern it keeps on every CPU.
struct SystemRegister {
    std::string_view name;
    std::uint64_t (*read)();
    void (*write)(std::uint64_t);
    std::uint64_t bits;
};

/// The pointer authentication keys, last in the list, exist only if the CPU has the feature.
std::size_t system_register_count();
const SystemRegister& system_register(std::size_t index);

bool has_pointer_authentication();

inline constexpr std::size_t max_system_registers = 32;
using SystemImage = std::array<std::uint64_t, max_system_registers>;

/// Sets each register to its own pattern; returns what they must read.
SystemImage fill_system_registers(std::uint64_t seed);
SystemImage read_system_registers();
void write_system_registers(const SystemImage& image);
/// Name of the first register in which they differ, or empty.
std::string_view first_difference(const SystemImage& a, const SystemImage& b);

/// Registers of features that a VM is not told of, but that it may reach for want of a trap. Where
/// they are undefined, each access is an exception that must go on behind it: reads give 0 then.
struct UntrappedImage {
    std::uint64_t disr;
    std::uint64_t tpidr2;
};
UntrappedImage read_untrapped_registers();
void write_untrapped_registers(const UntrappedImage& image);

} // namespace test
