// SPDX-License-Identifier: BSD-3-Clause
// Tests of Sp805: served, forgotten, locked, paused.
#include "devices/sp805.hpp"

#include <gtest/gtest.h>

namespace vmm {
namespace {

constexpr std::uint64_t ms = 1'000'000;

class Sp805Test : public testing::Test {
protected:
    void set(std::uint64_t offset, std::uint32_t value) { watchdog.write(offset, 4, value); }
    std::uint64_t get(std::uint64_t offset) { return watchdog.read(offset, 4); }
    // Lets time pass, and the timer fire when it is set.
    void pass(std::uint64_t time) {
        const std::uint64_t end = now + time;
        while (timer && *timer <= end) {
            now = std::max(now, *timer);
            timer.reset();
            watchdog.expire();
        }
        now = end;
    }
    void start(std::uint32_t control = 3) {
        set(0, 24'000 * 100); // 100 ms
        set(8, control);
    }

    std::uint64_t now = 5 * ms;
    std::optional<std::uint64_t> timer;
    unsigned bites = 0;
    Sp805 watchdog{{.now = [this] { return now; },
                    .wake_at = [this](std::optional<std::uint64_t> time) { timer = time; },
                    .bite = [this] { ++bites; }}};
};

TEST_F(Sp805Test, IsStoppedAtFirst) {
    EXPECT_EQ(get(0xfe0) | get(0xfe4) << 8, 0x1805U);
    EXPECT_EQ(get(8), 0U);
    EXPECT_EQ(get(4), 0xffff'ffffU);
    pass(1'000'000 * ms);
    EXPECT_EQ(bites, 0U);
    EXPECT_FALSE(timer);
}

TEST_F(Sp805Test, BitesTheSecondTime) {
    start();
    pass(50 * ms);
    EXPECT_EQ(get(4), 24'000U * 50);
    pass(60 * ms);
    EXPECT_EQ(get(0x10), 1U);
    EXPECT_EQ(get(0x14), 1U);
    EXPECT_EQ(get(4), 24'000U * 90);
    EXPECT_EQ(bites, 0U);
    pass(89 * ms);
    EXPECT_EQ(bites, 0U);
    pass(2 * ms);
    EXPECT_EQ(bites, 1U);
    set(0xc, 0); // too late
    pass(1000 * ms);
    EXPECT_EQ(bites, 1U);
    EXPECT_FALSE(timer);
}

TEST_F(Sp805Test, DoesNotBiteWhoServesIt) {
    start();
    for (unsigned round = 0; round < 10; ++round) {
        pass(150 * ms);
        set(0xc, 1);
        EXPECT_EQ(get(0x10), 0U);
    }
    set(8, 0);
    pass(1000 * ms);
    EXPECT_EQ(bites, 0U);
}

TEST_F(Sp805Test, OnlyWarnsWithoutTheRightToReset) {
    start(1);
    pass(1000 * ms);
    EXPECT_EQ(get(0x10), 1U);
    EXPECT_EQ(bites, 0U);
    EXPECT_FALSE(timer) << "it would wake up for nothing";
    set(8, 3);
    pass(1 * ms);
    EXPECT_EQ(bites, 1U);
}

TEST_F(Sp805Test, ALockedOneKeepsCounting) {
    start();
    set(0xc00, 0);
    EXPECT_EQ(get(0xc00), 1U);
    set(8, 0);
    set(0, 1);
    EXPECT_EQ(get(8), 3U);
    set(0xc00, 0x1acc'e551);
    EXPECT_EQ(get(0xc00), 0U);
    set(8, 0);
    EXPECT_EQ(get(8), 0U);
}

TEST_F(Sp805Test, StandsStillWhileTheGuestIsPaused) {
    start();
    pass(150 * ms);
    watchdog.freeze();
    pass(1000 * ms);
    watchdog.expire(); // a timer that was under way
    EXPECT_EQ(bites, 0U);
    EXPECT_EQ(get(4), 24'000U * 50);
    watchdog.thaw();
    pass(49 * ms);
    EXPECT_EQ(bites, 0U);
    pass(1 * ms);
    EXPECT_EQ(bites, 1U);
}

TEST_F(Sp805Test, ACounterOfZeroBitesOnce) {
    set(0, 0);
    set(8, 3);
    pass(1);
    EXPECT_EQ(bites, 1U);
    EXPECT_FALSE(timer);
}

} // namespace
} // namespace vmm
