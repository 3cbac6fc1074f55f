// SPDX-License-Identifier: BSD-3-Clause
// A burst passes, then one per interval; what did not pass is counted.
#include "log/rate_limit.hpp"

#include <gtest/gtest.h>

namespace {

std::uint64_t now = 0;

TEST(RateLimit, LimitsNothingWithoutAClock) {
    rm::RateLimit limit(2, 10);
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(limit.allow());
    }
    EXPECT_EQ(limit.take_suppressed(), 0U);
}

TEST(RateLimit, PassesABurstThenOnePerInterval) {
    now = 1000;
    rm::RateLimit limit(3, 1);
    limit.set_clock([] { return now; }, 10);
    EXPECT_TRUE(limit.allow() && limit.allow() && limit.allow());
    EXPECT_FALSE(limit.allow());
    now += 9;
    EXPECT_FALSE(limit.allow());
    now += 1;
    EXPECT_TRUE(limit.allow());
    EXPECT_EQ(limit.take_suppressed(), 2U);
    EXPECT_EQ(limit.take_suppressed(), 0U);
    now += 15; // one interval and a half: the half is not lost
    EXPECT_TRUE(limit.allow());
    EXPECT_FALSE(limit.allow());
    now += 5;
    EXPECT_TRUE(limit.allow());
}

TEST(RateLimit, TheBurstComesBackButNoMore) {
    now = 0;
    rm::RateLimit limit(2, 1);
    limit.set_clock([] { return now; }, 10);
    EXPECT_TRUE(limit.allow() && limit.allow());
    now += 1'000'000;
    EXPECT_TRUE(limit.allow() && limit.allow());
    EXPECT_FALSE(limit.allow());
}

} // namespace
