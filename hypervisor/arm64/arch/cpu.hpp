// SPDX-License-Identifier: BSD-3-Clause
// Which physical CPU runs this code; the PerCpu of each, and the size of the stacks that boot
// makes.
#pragma once

#include <arch/percpu.hpp>

#include <array>

namespace hyp {

inline constexpr unsigned max_cpus = 64;

/// 0 is the CPU that booted; the others are numbered in the order of the device tree.
inline unsigned cpu_index() {
    return arch::this_cpu().index;
}

} // namespace hyp

namespace hyp::arch {

/// Bytes of each EL2 stack; below it is an unmapped page. Also in hypervisor.lds.
inline constexpr std::uint64_t stack_size = 16384;
/// Bytes of each stack for exceptions in the hypervisor itself.
inline constexpr std::uint64_t emergency_stack_size = 4096;

/// By CPU index; filled before that CPU runs C++.
extern std::array<PerCpu, max_cpus> percpus;

} // namespace hyp::arch
