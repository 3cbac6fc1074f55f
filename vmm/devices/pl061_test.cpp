// SPDX-License-Identifier: BSD-3-Clause
// Tests of Pl061: a button is pressed, the driver sees it go down and up; levels and masks.
#include "devices/pl061.hpp"

#include <gtest/gtest.h>

namespace vmm {
namespace {

constexpr std::uint64_t direction = 0x400;
constexpr std::uint64_t sense = 0x404;
constexpr std::uint64_t both = 0x408;
constexpr std::uint64_t event = 0x40c;
constexpr std::uint64_t enable = 0x410;
constexpr std::uint64_t raw = 0x414;
constexpr std::uint64_t masked = 0x418;
constexpr std::uint64_t clear = 0x41c;
constexpr std::uint64_t data(unsigned mask) {
    return std::uint64_t{mask} << 2;
}

class Pl061Test : public testing::Test {
protected:
    unsigned edges = 0;
    Pl061 gpio{[this] { ++edges; }};
};

TEST_F(Pl061Test, APressIsSeenAsDownAndUp) {
    gpio.write(both, 1, 1);
    gpio.write(enable, 1, 1);
    gpio.press(0);
    EXPECT_EQ(edges, 1U);
    EXPECT_EQ(gpio.read(masked, 1), 1U);
    gpio.write(clear, 1, 1);
    EXPECT_EQ(gpio.read(masked, 1), 0U);
    EXPECT_EQ(gpio.read(data(2), 1), 0U); // looks elsewhere
    EXPECT_EQ(gpio.read(data(1), 1), 1U);
    EXPECT_EQ(edges, 2U);
    gpio.write(clear, 1, 1);
    EXPECT_EQ(gpio.read(data(1), 1), 0U);
    EXPECT_EQ(edges, 2U);
}

TEST_F(Pl061Test, APressWaitsForALateDriver) {
    gpio.press(3);
    EXPECT_EQ(edges, 0U);
    gpio.write(event, 1, 8);
    gpio.write(sense, 1, 8);
    gpio.write(enable, 1, 8);
    EXPECT_EQ(edges, 1U);
    EXPECT_EQ(gpio.read(data(0xff), 1), 8U);
    EXPECT_EQ(gpio.read(raw, 1), 0U);
}

TEST_F(Pl061Test, OneEdgeOnlyIsOneInterrupt) {
    gpio.write(event, 1, 1); // rising
    gpio.write(enable, 1, 1);
    gpio.press(0);
    gpio.write(clear, 1, 1);
    EXPECT_EQ(gpio.read(data(1), 1), 1U);
    EXPECT_EQ(edges, 1U);
}

TEST_F(Pl061Test, ClearingOneOfTwoCausesSendsAnEdgeForTheOther) {
    gpio.write(event, 1, 3);
    gpio.write(enable, 1, 3);
    gpio.press(0);
    gpio.press(1);
    EXPECT_EQ(edges, 1U);
    gpio.write(clear, 1, 1);
    EXPECT_EQ(edges, 2U);
    gpio.write(clear, 1, 2);
    EXPECT_EQ(edges, 2U);
}

TEST_F(Pl061Test, OutputsReadBackThroughTheMask) {
    gpio.write(direction, 1, 0xf0);
    gpio.write(data(0x30), 1, 0xff);
    EXPECT_EQ(gpio.read(data(0xff), 1), 0x30U);
    EXPECT_EQ(gpio.read(data(0x10), 1), 0x10U);
    gpio.press(4); // an output: nobody sees it
    EXPECT_EQ(gpio.read(data(0xff), 1), 0x30U);
}

TEST_F(Pl061Test, IsWhatDriversLookFor) {
    EXPECT_EQ(gpio.read(0xfe0, 4) | gpio.read(0xfe4, 4) << 8, 0x1061U);
    EXPECT_EQ(gpio.read(0xff4, 4), 0xf0U);
}

} // namespace
} // namespace vmm
