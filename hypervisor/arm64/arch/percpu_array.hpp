// SPDX-License-Identifier: BSD-3-Clause
// The PerCpu of each CPU, and the size of the stacks that boot makes.
#pragma once

#include <arch/cpu.hpp>

#include <array>

namespace hyp::arch {

/// Bytes of each EL2 stack; below it is an unmapped page. Also in hypervisor.lds.
inline constexpr std::uint64_t stack_size = 16384;
/// Bytes of each stack for exceptions in the hypervisor itself.
inline constexpr std::uint64_t emergency_stack_size = 4096;

/// By CPU index; filled before that CPU runs C++.
extern std::array<PerCpu, max_cpus> percpus;

} // namespace hyp::arch
