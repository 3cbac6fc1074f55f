// SPDX-License-Identifier: BSD-3-Clause
// How many log lines a client may cause: a burst, then a few a second.
#pragma once

#include <cstdint>

namespace rm {

/// Gives out permissions. One that is left comes back after every interval, up to the burst.
class RateLimit {
public:
    /// A clock that only goes forward; `interval` in its units.
    using Clock = std::uint64_t (*)();

    constexpr RateLimit(unsigned burst, std::uint64_t interval)
        : burst_(burst), left_(burst), interval_(interval) {}

    /// Without a clock, which is so at first, nothing is limited.
    void set_clock(Clock clock, std::uint64_t interval);

    /// True if a line may be written now; else it counts as suppressed.
    bool allow();
    /// How many were suppressed since the last time that this was asked.
    unsigned take_suppressed();

private:
    void refill();

    unsigned burst_;
    unsigned left_;
    std::uint64_t interval_;
    std::uint64_t filled_at_ = 0;
    unsigned suppressed_ = 0;
    Clock clock_ = nullptr;
};

/// That of lines about refused requests.
RateLimit& refusal_limit();

} // namespace rm
