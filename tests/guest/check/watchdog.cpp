// SPDX-License-Identifier: BSD-3-Clause
// The watchdog of the running check.
#include "check/watchdog.hpp"

#include "check/check.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/gic.hpp"
#include "machine/interrupts.hpp"
#include "machine/timer.hpp"

#include <algorithm>

namespace test {

namespace {

struct Watchdog {
    WatchdogTimer timer = WatchdogTimer::virtual_timer;
    bool running = false;
    std::uint64_t end = 0;   // counter values
    std::uint64_t alarm = 0; // 0: none
};

constinit Watchdog watchdog;

Timer& timer_of(WatchdogTimer timer) {
    return timer == WatchdogTimer::virtual_timer ? virtual_timer() : physical_timer();
}

void arm() {
    Timer& timer = timer_of(watchdog.timer);
    const std::uint64_t at =
        watchdog.alarm != 0 ? std::min(watchdog.alarm, watchdog.end) : watchdog.end;
    timer.start_at(at);
    gic::set_priority(timer.intid(), 0x10); // before whatever a check does with priorities
    gic::enable(timer.intid());
}

} // namespace

void start_watchdog(std::uint64_t ms) {
    watchdog = {WatchdogTimer::virtual_timer, true, now() + ticks_of_ms(ms), 0};
    arm();
}

void stop_watchdog() {
    watchdog.running = false;
    timer_of(watchdog.timer).stop();
}

void watchdog_uses(WatchdogTimer timer) {
    const MaskedInterrupts masked;
    Timer& old = timer_of(watchdog.timer);
    old.stop();
    gic::disable(old.intid());
    watchdog.timer = timer;
    arm();
}

bool watchdog_owns(std::uint32_t intid) {
    return watchdog.running && this_cpu() == 0 && timer_of(watchdog.timer).intid() == intid;
}

void watchdog_bites(std::uint32_t intid, std::uint64_t interrupted_pc) {
    timer_of(watchdog.timer).stop();
    const bool over = now() >= watchdog.end;
    watchdog.alarm = 0;
    if (!over) {
        arm();
    }
    gic::end_of_interrupt(intid);
    if (over) {
        watchdog.running = false;
        fail("timed out at image + {x}", image_offset(interrupted_pc));
    }
}

Alarm::Alarm(std::uint64_t ms) {
    const MaskedInterrupts masked;
    if (this_cpu() == 0 && watchdog.running) {
        watchdog.alarm = now() + ticks_of_ms(ms);
        arm();
    }
}

Alarm::~Alarm() {
    const MaskedInterrupts masked;
    if (this_cpu() == 0 && watchdog.running) {
        watchdog.alarm = 0;
        arm();
    }
}

} // namespace test
