// SPDX-License-Identifier: BSD-3-Clause
// A token bucket whose time is counted in whole intervals.
#include "log/rate_limit.hpp"

#include <algorithm>
#include <utility>

namespace rm {

namespace {

constexpr unsigned refusal_burst = 100;

} // namespace

void RateLimit::set_clock(Clock clock, std::uint64_t interval) {
    clock_ = clock;
    interval_ = interval;
    filled_at_ = clock != nullptr ? clock() : 0;
    left_ = burst_;
}

void RateLimit::refill() {
    const std::uint64_t intervals = (clock_() - filled_at_) / interval_;
    left_ += static_cast<unsigned>(std::min<std::uint64_t>(intervals, burst_ - left_));
    filled_at_ += intervals * interval_;
}

bool RateLimit::allow() {
    if (clock_ == nullptr) {
        return true;
    }
    refill();
    if (left_ == 0) {
        ++suppressed_;
        return false;
    }
    --left_;
    return true;
}

unsigned RateLimit::take_suppressed() {
    return std::exchange(suppressed_, 0);
}

RateLimit& refusal_limit() {
    static constinit RateLimit limit{refusal_burst, 1};
    return limit;
}

} // namespace rm
