// SPDX-License-Identifier: BSD-3-Clause
// What TPIDR_EL2 points to: the few words that assembly needs of each physical CPU.
#pragma once

#include "vcpu/registers.hpp"

#include <cstddef>
#include <cstdint>

namespace hyp {
class Vcpu;
}

namespace hyp::arch {

struct GuestState;

struct PerCpu {
    GuestRegisters* guest;         // of `vcpu`
    std::uint64_t work;            // arch/work.hpp
    Vcpu* vcpu;                    // whose state is in this CPU's hardware
    std::uint64_t stack_top;       // EL2 stack of this CPU, 16-byte aligned
    std::uint64_t emergency_stack; // used when the stack itself faults
    std::uint32_t index;           // 0 .. max_cpus - 1
    std::uint32_t reserved;
    const void* vectors; // whose FP, SIMD and SVE registers this CPU's hold last (GuestState)
    GuestState* unsaved; // the same, while they are still to be stored; mostly null
};

// arm64/*.S know these offsets.
static_assert(offsetof(PerCpu, guest) == 0);
static_assert(offsetof(PerCpu, work) == 8);
static_assert(offsetof(PerCpu, vcpu) == 16);
static_assert(offsetof(PerCpu, stack_top) == 24);
static_assert(offsetof(PerCpu, emergency_stack) == 32);

inline PerCpu& this_cpu() {
    PerCpu* cpu;
    asm volatile("mrs %0, tpidr_el2" : "=r"(cpu));
    return *cpu;
}

} // namespace hyp::arch
