// SPDX-License-Identifier: BSD-3-Clause
// Brings the other CPUs to EL2 C++ through PSCI.
#pragma once

#include "platform/platform.hpp"

namespace hyp {

/// Makes the boot CPU's PerCpu current, so that cpu_index() and exceptions work. First of all.
void init_boot_cpu();

/// Starts all CPUs of the platform; each runs cpu_main(index) on its own stack. Those that firmware
/// refuses are logged and left out. Returns when all that started have called cpu_is_ready().
void start_other_cpus(const Platform& platform);

/// Number of CPUs that run the hypervisor. Their indices are 0 .. n-1: a CPU that did not start
/// gives its index to the next.
[[nodiscard]] unsigned cpus_running();

/// MPIDR affinity of a running CPU.
[[nodiscard]] std::uint64_t cpu_mpidr(unsigned index);

/// What a CPU does for ever once it has its stack (boot_main.cpp).
[[noreturn]] void cpu_main(unsigned index);

/// A started CPU says that it is initialised.
void cpu_is_ready();

} // namespace hyp
