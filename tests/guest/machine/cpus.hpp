// SPDX-License-Identifier: BSD-3-Clause
// The other CPUs: turned on by PSCI when a check wants them, then given functions to run.
#pragma once

#include "machine/board.hpp"

#include <cstdint>
#include <string_view>

namespace test {

/// What a CPU finds at its entry point, and where it notes how it was entered.
struct CpuStart {
    std::uint64_t stack_end;
    std::uint64_t index;
    // Written by head.S before anything else.
    std::uint64_t context;
    std::uint64_t current_el;
    std::uint64_t daif;
    std::uint64_t sctlr;
};

unsigned cpu_count();
/// Index in board().mpidr; the main CPU is 0.
unsigned this_cpu();

/// CPU_ON's arguments for a CPU.
std::uint64_t cpu_entry_point();
std::uint64_t cpu_context(unsigned cpu);
/// How it was entered last.
CpuStart cpu_start_record(unsigned cpu);

/// Turns a CPU on if it is not; fails the check if it does not come.
void turn_on(unsigned cpu);
/// Lets it call CPU_OFF and waits until AFFINITY_INFO says so.
void turn_off(unsigned cpu);

using CpuFunction = std::uint64_t (*)(std::uint64_t argument);

/// Runs `function` on another CPU (interrupts unmasked there); wait_for gives its result.
void start_on(unsigned cpu, CpuFunction function, std::uint64_t argument);
std::uint64_t wait_for(unsigned cpu, std::uint64_t ms);
inline std::uint64_t run_on(unsigned cpu, CpuFunction function, std::uint64_t argument,
                            std::uint64_t ms = 3000) {
    start_on(cpu, function, argument);
    return wait_for(cpu, ms);
}

/// For fail() on another CPU than the main one.
[[noreturn]] void leave_failure_and_turn_off(std::string_view reason);
/// Takes what a CPU left there; empty if none did.
std::string_view failure_of_other_cpu();

/// SYSTEM_OFF.
[[noreturn]] void power_off();

} // namespace test
