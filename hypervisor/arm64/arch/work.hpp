// SPDX-License-Identifier: BSD-3-Clause
// What this CPU has to look at before the vCPU that left may go on: bits of one word, which the
// exit path in assembly tests. Set and cleared by this CPU only; another one sends an interrupt.
#pragma once

#include <arch/percpu.hpp>

#include <cstdint>

namespace hyp::arch {

/// Something changed that Scheduler::resume() decides by.
inline constexpr std::uint64_t work_schedule = 1;
/// The loaded vCPU's VicCpu has something to do in enter().
inline constexpr std::uint64_t work_interrupts = 2;
/// The call is still to be served, with all registers of the vCPU in memory.
inline constexpr std::uint64_t work_whole_exit = 4;
/// A vCPU begins or ends its run inside another's vcpu_run. Alone, it needs no decision.
inline constexpr std::uint64_t work_hand_over = 8;

inline void note_work(std::uint64_t bits) {
    PerCpu& cpu = this_cpu();
    cpu.work = cpu.work | bits;
}
inline std::uint64_t work_left() {
    return this_cpu().work;
}
inline void forget_work(std::uint64_t bits = ~std::uint64_t{0}) {
    PerCpu& cpu = this_cpu();
    cpu.work = cpu.work & ~bits;
}

} // namespace hyp::arch
