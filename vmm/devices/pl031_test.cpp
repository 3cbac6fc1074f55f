// SPDX-License-Identifier: BSD-3-Clause
// Tests of Pl031: the host's time, and a time that the guest sets.
#include "devices/pl031.hpp"

#include <gtest/gtest.h>

namespace vmm {
namespace {

class Pl031Test : public testing::Test {
protected:
    std::uint64_t host = 1'700'000'000;
    std::optional<std::uint64_t> timer;
    unsigned interrupts = 0;
    Pl031 clock{{.now = [this] { return host; },
                 .wake_at = [this](std::optional<std::uint64_t> time) { timer = time; },
                 .interrupt = [this] { ++interrupts; }}};
};

TEST_F(Pl031Test, AnAlarmInterruptsOnce) {
    clock.write(0x10, 4, 1);
    clock.write(4, 4, 1'700'000'010);
    EXPECT_EQ(timer, 1'700'000'010U);
    host += 9;
    clock.expire(); // the host's clock was set back
    EXPECT_EQ(interrupts, 0U);
    host += 1;
    clock.expire();
    EXPECT_EQ(interrupts, 1U);
    EXPECT_EQ(clock.read(0x14, 4), 1U);
    EXPECT_EQ(clock.read(0x18, 4), 1U);
    clock.expire();
    EXPECT_EQ(interrupts, 1U);
    clock.write(0x1c, 4, 1);
    EXPECT_EQ(clock.read(0x14, 4), 0U);
}

TEST_F(Pl031Test, AMaskedAlarmWaitsForItsMask) {
    clock.write(4, 4, 1'700'000'000); // now
    clock.expire();
    EXPECT_EQ(clock.read(0x14, 4), 1U);
    EXPECT_EQ(clock.read(0x18, 4), 0U);
    EXPECT_EQ(interrupts, 0U);
    clock.write(0x10, 4, 1);
    EXPECT_EQ(interrupts, 1U);
}

TEST_F(Pl031Test, AnAlarmIsInTheGuestsTime) {
    clock.write(4, 4, 1'060);
    EXPECT_FALSE(timer) << "long ago";
    clock.write(8, 4, 1'000);
    EXPECT_EQ(timer, 1'700'000'060U);
    clock.write(8, 4, 2'000);
    EXPECT_FALSE(timer);
    clock.expire();
    EXPECT_EQ(clock.read(0x14, 4), 0U);
}

TEST_F(Pl031Test, ShowsTheHostsTime) {
    EXPECT_EQ(clock.read(0, 4), 1'700'000'000U);
    host += 5;
    EXPECT_EQ(clock.read(0, 4), 1'700'000'005U);
    EXPECT_EQ(clock.read(0xc, 4), 1U);
}

TEST_F(Pl031Test, KeepsATimeThatTheGuestSets) {
    for (const std::uint32_t time : {1000U, 0U, 0xffff'fff0U, 1'800'000'000U}) {
        clock.write(8, 4, time);
        EXPECT_EQ(clock.read(0, 4), time);
        EXPECT_EQ(clock.read(8, 4), time);
        host += 32;
        EXPECT_EQ(clock.read(0, 4), static_cast<std::uint32_t>(time + 32));
    }
}

TEST_F(Pl031Test, IsWhatDriversLookFor) {
    EXPECT_EQ(clock.read(0xfe0, 4) | clock.read(0xfe4, 4) << 8, 0x1031U);
    EXPECT_EQ(clock.read(0xff0, 4), 0x0dU);
    EXPECT_EQ(clock.read(0xffc, 4), 0xb1U);
    EXPECT_EQ(clock.read(0x14, 4), 0U);
    clock.write(4, 4, 77);
    clock.write(0x10, 4, 3);
    EXPECT_EQ(clock.read(4, 4), 77U);
    EXPECT_EQ(clock.read(0x10, 4), 1U);
}

} // namespace
} // namespace vmm
