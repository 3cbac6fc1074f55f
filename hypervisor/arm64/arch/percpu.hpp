// SPDX-License-Identifier: BSD-3-Clause
// What TPIDR_EL2 points to: the few words that assembly needs of each physical CPU.
#pragma once

#include "vcpu/registers.hpp"

#include <cstddef>
#include <cstdint>

namespace hyp::arch {

struct PerCpu {
    GuestRegisters* guest;         // where the next guest exit on this CPU stores registers
    std::uint64_t stack_top;       // EL2 stack of this CPU, 16-byte aligned
    std::uint64_t emergency_stack; // used when the stack itself faults
    std::uint32_t index;           // 0 .. max_cpus - 1
    std::uint32_t reserved;
};

// arm64/*.S know these offsets.
static_assert(offsetof(PerCpu, guest) == 0);
static_assert(offsetof(PerCpu, stack_top) == 8);
static_assert(offsetof(PerCpu, emergency_stack) == 16);
static_assert(offsetof(PerCpu, index) == 24);

inline PerCpu& this_cpu() {
    PerCpu* cpu;
    asm volatile("mrs %0, tpidr_el2" : "=r"(cpu));
    return *cpu;
}

} // namespace hyp::arch
