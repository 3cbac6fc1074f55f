// SPDX-License-Identifier: BSD-3-Clause
// Interrupt dispatch: counts what arrives where; what no check has announced is a failure.
#pragma once

#include <cstdint>

namespace test {

/// Called by the exception vectors with interrupts masked.
void handle_interrupt(std::uint64_t interrupted_pc);

/// Puts GIC and bookkeeping into the state in which each check begins. On the main CPU.
void reset_interrupts();

using InterruptHook = void (*)(std::uint32_t intid);

/// `intid` may arrive from now on; `hook` runs between acknowledge and end of interrupt. A timer's
/// hook must make its line fall. Enables it in the GIC at the given priority.
void allow_interrupt(std::uint32_t intid, InterruptHook hook = nullptr,
                     std::uint8_t priority = 0xa0);

/// How often it arrived, on any CPU, since the check began.
std::uint32_t interrupt_count(std::uint32_t intid);
std::uint32_t interrupt_count_on(unsigned cpu, std::uint32_t intid);

/// With interrupts unmasked, sleeps until the interrupt's count exceeds `seen`; false after `ms`.
bool wait_for_count(std::uint32_t intid, std::uint32_t seen, std::uint64_t ms);

/// Masks interrupts for a scope.
class MaskedInterrupts {
public:
    MaskedInterrupts();
    ~MaskedInterrupts();
    MaskedInterrupts(const MaskedInterrupts&) = delete;
    MaskedInterrupts& operator=(const MaskedInterrupts&) = delete;

private:
    std::uint64_t daif_;
};

} // namespace test
