// SPDX-License-Identifier: BSD-3-Clause
// Bounds every check in time by one of the two timers; the other is free for the check.
#pragma once

#include <cstdint>

namespace test {

enum class WatchdogTimer { virtual_timer, physical_timer };

/// The check that runs fails after `ms`, wherever it is.
void start_watchdog(std::uint64_t ms);
void stop_watchdog();
/// Moves a running watchdog, for checks of the timer it used. Until the check ends.
void watchdog_uses(WatchdogTimer timer);

bool watchdog_owns(std::uint32_t intid);
/// Called in its interrupt. Returns when it was only an Alarm's time.
void watchdog_bites(std::uint32_t intid, std::uint64_t interrupted_pc);

/// For its lifetime, the watchdog's timer also fires after `ms`, so that a sleeping main CPU wakes.
class Alarm {
public:
    explicit Alarm(std::uint64_t ms);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
};

} // namespace test
