// SPDX-License-Identifier: BSD-3-Clause
// All CPUs of the VM sleep for two seconds. That the machine sleeps, too, is seen from outside: by
// how much of the host's CPU time passes between the two lines (tests/system/idle_test.py).
#include "check/tables.hpp"
#include "check/watchdog.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "machine/uart.hpp"

#include <runtime/print.hpp>

namespace test {

namespace {

constexpr std::uint64_t idle_ms = 2000;
constexpr std::uint64_t margin_ms = 1000;

std::uint64_t sleep_until(std::uint64_t end) {
    unsigned wakes = 0;
    while (now() < end) {
        const MaskedInterrupts masked; // what wakes it is taken when the scope ends
        if (now() < end) {
            wait_for_interrupt();
            ++wakes;
        }
    }
    return wakes;
}

// A CPU without a timer of its own sleeps until the main one sends it an interrupt.
std::uint64_t sleep_there(std::uint64_t) {
    while (interrupt_count_on(this_cpu(), 7) == 0) {
        const MaskedInterrupts masked;
        if (interrupt_count_on(this_cpu(), 7) == 0) {
            wait_for_interrupt();
        }
    }
    return 0;
}

void all_cpus() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        turn_on(cpu);
    }
    allow_interrupt(7);
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        start_on(cpu, sleep_there, 0);
    }
    rt::print(uart(), "idle begins\n");
    const std::uint64_t end = now() + ticks_of_ms(idle_ms);
    const Alarm alarm(idle_ms + 1); // not before the end: it comes once
    const std::uint64_t wakes = sleep_until(end);
    const std::uint64_t late = now() - end;
    rt::print(uart(), "idle ends\n");
    expect(wakes < 20, "it slept, rather than to return at once again and again");
    expect(late < ticks_of_ms(margin_ms), "its timer woke it in time");
    WRITE_SYSREG(s3_0_c12_c11_5, std::uint64_t{1} << 40 | std::uint64_t{7} << 24); // to all others
    isb();
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        (void)wait_for(cpu, 3000);
    }
}

constexpr Check checks[] = {
    {"idle.all_cpus", all_cpus, Needs::nothing, 20'000},
};

} // namespace

std::span<const Check> idle_checks() {
    return checks;
}

} // namespace test
