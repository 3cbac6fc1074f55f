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

/// The condition of a masked timer, for compare values at the ends of their range: they are
/// unsigned.
void condition(Timer& timer, void (*write)(std::uint64_t compare)) {
    const auto expect_met = [&](std::uint64_t compare, bool met) {
        write(compare);
        if (timer.condition_met() != met) {
            fail("compare value {x}: ISTATUS is {}", compare, met ? 0 : 1);
        }
        expect_equal("the compare value", timer.compare(), compare);
    };
    expect_met(0, true);
    expect_met(1, true);
    expect_met(now(), true);
    expect_met(now() + ticks_of_ms(1'000'000), false);
    expect_met(std::uint64_t{1} << 63, false);
    expect_met(~std::uint64_t{0}, false);
    expect_met(0, true); // and back again
    timer.stop();
}

void virtual_condition() {
    watchdog_uses(WatchdogTimer::physical_timer);
    condition(virtual_timer(), [](std::uint64_t compare) {
        WRITE_SYSREG(cntv_cval_el0, compare);
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{3});
        isb();
    });
}

void physical_condition() {
    condition(physical_timer(), [](std::uint64_t compare) {
        WRITE_SYSREG(cntp_cval_el0, compare);
        WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{3});
        isb();
    });
}

// TVAL is signed and 32 bits wide: a view of the compare value relative to now.
void timer_value() {
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{3});
    const std::uint64_t before = now();
    WRITE_SYSREG(cntp_tval_el0, std::uint64_t{1'000'000'000});
    isb();
    const std::uint64_t compare = physical_timer().compare();
    expect(compare >= before + 1'000'000'000 && compare <= now() + 1'000'000'000,
           "TVAL sets the compare value relative to now");
    expect(!physical_timer().condition_met(), "a positive TVAL is in the future");
    WRITE_SYSREG(cntp_tval_el0, std::uint64_t{0xffff0000});
    isb();
    expect(physical_timer().condition_met(), "a negative TVAL is in the past");
    const auto left = static_cast<std::int32_t>(READ_SYSREG(cntp_tval_el0));
    expect(left <= -0x10000, "TVAL counts on below zero");
    physical_timer().stop();
}

// Masked when it became due, it fires when the mask goes; stopped in time, it never does.
void unmasked_late() {
    allow_interrupt(physical_timer().intid(), stop_physical);
    WRITE_SYSREG(cntp_cval_el0, now() + ticks_of_ms(1));
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{3});
    isb();
    (void)wait_until(10, [] { return false; });
    expect_equal("interrupts while masked", interrupt_count(physical_timer().intid()), 0);
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{1});
    isb();
    expect(wait_until(patience_ms, [] { return interrupt_count(physical_timer().intid()) == 1; }),
           "it fires without the mask");
    std::uint32_t seen = 0;
    for (bool in_time = false; !in_time;) { // not if this CPU was kept from running meanwhile
        (void)wait_until(20, [] { return false; });
        seen = interrupt_count(physical_timer().intid());
        const MaskedInterrupts masked;
        const std::uint64_t due = now() + ticks_of_ms(5);
        physical_timer().start_at(due);
        physical_timer().stop();
        in_time = now() < due;
    }
    (void)wait_until(20, [] { return false; });
    expect_equal("interrupts after a stop", interrupt_count(physical_timer().intid()), seen);
}

// Due timers whose line falls before the interrupt is taken leave nothing behind.
void gone_before_taken() {
    allow_interrupt(physical_timer().intid(), stop_physical);
    for (int i = 0; i < 20; ++i) {
        const MaskedInterrupts masked;
        physical_timer().start_at(now());
        (void)wait_until(1, [] { return false; });
        physical_timer().stop();
    }
    (void)wait_until(10, [] { return false; });
    expect(interrupt_count(physical_timer().intid()) <= 20, "at most a spurious one for each");
    const std::uint32_t seen = interrupt_count(physical_timer().intid());
    physical_timer().start_at(now());
    expect(wait_until(patience_ms,
                      [&] { return interrupt_count(physical_timer().intid()) == seen + 1; }),
           "the next one still comes");
}

// Both at the same moment, and while asleep.
void both_at_once() {
    watchdog_uses(WatchdogTimer::physical_timer);
    allow_interrupt(virtual_timer().intid(), stop_virtual);
    for (std::uint32_t round = 0; round < 10; ++round) {
        const std::uint64_t at = now() + ticks_of_ms(3);
        virtual_timer().start_at(at);
        const Alarm alarm(3); // the physical one
        while (interrupt_count(virtual_timer().intid()) <= round) {
            const MaskedInterrupts masked;
            if (interrupt_count(virtual_timer().intid()) <= round) {
                wait_for_interrupt();
            }
        }
        expect(now() >= at, "not before its time");
    }
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
    {"timer.virtual_condition", virtual_condition, Needs::nothing},
    {"timer.physical_condition", physical_condition, Needs::nothing},
    {"timer.timer_value", timer_value, Needs::nothing},
    {"timer.unmasked_late", unmasked_late, Needs::nothing},
    {"timer.gone_before_taken", gone_before_taken, Needs::nothing},
    {"timer.both_at_once", both_at_once, Needs::nothing},
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
