// SPDX-License-Identifier: BSD-3-Clause
// Tests of RngDevice: what a request gets, and what is no request.
#include "virtio/rng_device.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

class RngDeviceTest : public testing::Test {
protected:
    bool offer(std::uint32_t length, std::uint16_t flags) {
        driver.describe(0, {TestDriver::buffers, length, flags, 0});
        driver.offer(0);
        return device.process(0, queue).has_value();
    }

    TestDriver driver{4};
    Virtqueue queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
    bool works = true;
    RngDevice device{[this](std::span<std::byte> bytes) {
        std::ranges::fill(bytes, std::byte{0x5a});
        return works;
    }};
};

TEST_F(RngDeviceTest, FillsTheBufferAndNoMore) {
    EXPECT_EQ(device.device_id(), 4U);
    EXPECT_TRUE(offer(100, VRING_DESC_F_WRITE));
    EXPECT_EQ(driver.used(0).len, 100U);
    EXPECT_EQ(driver.load<std::uint8_t>(TestDriver::buffers + 99), 0x5a);
    EXPECT_EQ(driver.load<std::uint8_t>(TestDriver::buffers + 100), 0);
}

TEST_F(RngDeviceTest, AHugeRequestGetsABoundedHelping) {
    EXPECT_TRUE(offer(0xc000, VRING_DESC_F_WRITE));
    EXPECT_EQ(driver.used(0).len, RngDevice::most_at_once);
}

TEST_F(RngDeviceTest, NothingIsWrittenWithoutRandomness) {
    works = false;
    EXPECT_TRUE(offer(100, VRING_DESC_F_WRITE));
    EXPECT_EQ(driver.used(0).len, 0U);
    EXPECT_EQ(driver.load<std::uint8_t>(TestDriver::buffers), 0);
}

TEST_F(RngDeviceTest, WrongBuffersBreakTheQueue) {
    EXPECT_FALSE(offer(100, 0));
    EXPECT_FALSE(offer(0, VRING_DESC_F_WRITE));
}

TEST(SystemRandom, GivesAsManyBytesAsAsked) {
    std::array<std::byte, 1000> bytes{};
    ASSERT_TRUE(system_random(bytes));
    // All zero by chance: once in 256^500.
    EXPECT_FALSE(std::ranges::all_of(std::span{bytes}.last(500),
                                     [](std::byte byte) { return byte == std::byte{0}; }));
}

} // namespace
} // namespace vmm
