// SPDX-License-Identifier: BSD-3-Clause
// The generic timers: both EL1 timers fire, sleep ends with them, the counter only goes forward.
#include "check/tables.hpp"
#include "check/watchdog.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "machine/timer.hpp"

namespace test {

namespace {

constexpr std::uint64_t patience_ms = 3000;

void stop_virtual(std::uint32_t) {
    virtual_timer().stop();
}
void stop_physical(std::uint32_t) {
    physical_timer().stop();
}

void fires(Timer& timer, InterruptHook stop) {
    allow_interrupt(timer.intid(), stop);
    for (std::uint32_t round = 0; round < 10; ++round) {
        const std::uint64_t at = now() + ticks_of_ms(5);
        timer.start_at(at);
        expect(!timer.condition_met() || now() >= at, "ISTATUS is clear before the time");
        const bool came =
            wait_until(patience_ms, [&] { return interrupt_count(timer.intid()) > round; });
        expect(came, "the interrupt arrives");
        expect(now() >= at, "not before its time");
    }
    expect_equal("interrupts", interrupt_count(timer.intid()), 10);
}

void virtual_fires() {
    watchdog_uses(WatchdogTimer::physical_timer);
    fires(virtual_timer(), stop_virtual);
}

void physical_fires() {
    fires(physical_timer(), stop_physical);
}

void sleeps_until(Timer& timer, InterruptHook stop) {
    allow_interrupt(timer.intid(), stop);
    for (std::uint32_t round = 0; round < 10; ++round) {
        const std::uint64_t at = now() + ticks_of_ms(20);
        timer.start_at(at);
        unsigned sleeps = 0;
        while (interrupt_count(timer.intid()) <= round) {
            const MaskedInterrupts masked;
            if (interrupt_count(timer.intid()) <= round) {
                wait_for_interrupt();
                ++sleeps;
            }
        }
        expect(now() >= at, "it slept until the time");
        expect(sleeps < 100, "it slept, rather than to return at once again and again");
    }
}

void sleep_until_virtual() {
    watchdog_uses(WatchdogTimer::physical_timer);
    sleeps_until(virtual_timer(), stop_virtual);
}

void sleep_until_physical() {
    sleeps_until(physical_timer(), stop_physical);
}

// Level-sensitive: it comes again until the timer is stopped.
constinit std::uint32_t times = 0;

void level_stays() {
    times = 0;
    allow_interrupt(physical_timer().intid(), [](std::uint32_t) {
        if (++times == 5) {
            physical_timer().stop();
        }
    });
    physical_timer().start_at(now());
    expect(wait_until(patience_ms, [] { return times >= 5; }), "it comes again while high");
    (void)wait_until(20, [] { return false; });
    expect_equal("interrupts", times, 5);
}

// IMASK hides the interrupt, not the condition.
void mask_bit() {
    allow_interrupt(physical_timer().intid(), stop_physical);
    physical_timer().start_at(now());
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{3});
    isb();
    const std::uint32_t seen = interrupt_count(physical_timer().intid());
    physical_timer().start_at(now());
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{3});
    isb();
    expect(physical_timer().condition_met() || interrupt_count(physical_timer().intid()) > seen,
           "ISTATUS is set");
    const std::uint32_t then = interrupt_count(physical_timer().intid());
    (void)wait_until(20, [] { return false; });
    expect_equal("interrupts while masked", interrupt_count(physical_timer().intid()), then);
}

void counter_goes_forward() {
    std::uint64_t last = now();
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t next = now();
        expect(next >= last, "CNTVCT_EL0 does not go back");
        last = next;
    }
    const std::uint64_t begin = now();
    expect(wait_until(1000, [&] { return now() > begin; }), "CNTVCT_EL0 advances");
    const std::uint64_t frequency = READ_SYSREG(cntfrq_el0);
    expect(frequency >= 1'000'000 && frequency <= 1'000'000'000, "1 MHz <= CNTFRQ_EL0 <= 1 GHz");
}

void counters_agree() {
    for (int i = 0; i < 1000; ++i) {
        isb();
        const std::uint64_t before = READ_SYSREG(cntpct_el0);
        isb();
        const std::uint64_t virtual_count = READ_SYSREG(cntvct_el0);
        isb();
        const std::uint64_t after = READ_SYSREG(cntpct_el0);
        expect(before <= virtual_count && virtual_count <= after,
               "CNTVCT_EL0 equals CNTPCT_EL0 (offset 0)");
    }
}

std::uint64_t read_counter(std::uint64_t) {
    return now();
}

void same_on_every_cpu() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        turn_on(cpu);
        for (int i = 0; i < 20; ++i) {
            const std::uint64_t before = now();
            const std::uint64_t there = run_on(cpu, read_counter, 0);
            expect(before <= there && there <= now(), "the CPUs' counters agree");
        }
    }
}

std::uint64_t sleep_there(std::uint64_t ms) {
    const std::uint32_t intid = virtual_timer().intid();
    const std::uint32_t seen = interrupt_count_on(this_cpu(), intid);
    allow_interrupt(intid, stop_virtual);
    const std::uint64_t at = now() + ticks_of_ms(ms);
    virtual_timer().start_at(at);
    while (interrupt_count_on(this_cpu(), intid) == seen) {
        const MaskedInterrupts masked;
        if (interrupt_count_on(this_cpu(), intid) == seen) {
            wait_for_interrupt();
        }
    }
    return now() >= at ? 1 : 0;
}

// Each CPU's virtual timer is its own.
void all_cpus_sleep() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        start_on(cpu, sleep_there, 20 + cpu);
    }
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        expect_equal("slept until its time", wait_for(cpu, patience_ms), 1);
    }
}

constexpr Check checks[] = {
    {"timer.virtual_fires", virtual_fires, Needs::nothing},
    {"timer.physical_fires", physical_fires, Needs::nothing},
    {"timer.sleep_until_virtual", sleep_until_virtual, Needs::nothing},
    {"timer.sleep_until_physical", sleep_until_physical, Needs::nothing},
    {"timer.level_stays", level_stays, Needs::nothing},
    {"timer.mask_bit", mask_bit, Needs::nothing},
    {"timer.counter_goes_forward", counter_goes_forward, Needs::nothing},
    {"timer.counters_agree", counters_agree, Needs::nothing},
    {"timer.same_on_every_cpu", same_on_every_cpu, Needs::smp},
    {"timer.all_cpus_sleep", all_cpus_sleep, Needs::smp},
};

} // namespace

std::span<const Check> timer_checks() {
    return checks;
}

} // namespace test
