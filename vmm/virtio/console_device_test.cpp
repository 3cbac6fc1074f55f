// SPDX-License-Identifier: BSD-3-Clause
// Tests of ConsoleDevice: both directions, and back-pressure.
#include "virtio/console_device.hpp"

#include <gtest/gtest.h>

#include <string>

#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

class ConsoleDeviceTest : public testing::Test {
protected:
    std::size_t type(std::string_view text) {
        return device.receive(std::as_bytes(std::span{text}));
    }
    bool service(unsigned index) {
        auto result = device.process(index, queue);
        return result.has_value();
    }
    std::string memory(std::uint64_t address, std::size_t count) {
        const auto range = *driver.memory().range(address, count);
        return {reinterpret_cast<const char*>(range.data()), count};
    }

    TestDriver driver{4};
    Virtqueue queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
    std::string printed;
    ConsoleDevice device{[this](std::span<const std::byte> bytes) {
        printed.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }};
};

TEST_F(ConsoleDeviceTest, PrintsWhatTheGuestSends) {
    for (const char character : std::string{"hello"}) {
        static std::uint64_t at = TestDriver::buffers;
        driver.store(at++, character);
    }
    driver.describe(0, {TestDriver::buffers, 2, VRING_DESC_F_NEXT, 1});
    driver.describe(1, {TestDriver::buffers + 2, 3, 0, 0});
    driver.offer(0);
    EXPECT_TRUE(service(ConsoleDevice::transmit_queue));
    EXPECT_EQ(printed, "hello");
    EXPECT_EQ(driver.used_index(), 1);
}

TEST_F(ConsoleDeviceTest, KeepsInputUntilTheGuestHasABuffer) {
    unsigned ready = 0;
    device.on_input([&] { ++ready; });
    EXPECT_EQ(type("abcdef"), 6U);
    EXPECT_EQ(ready, 1U);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue));
    EXPECT_EQ(driver.used_index(), 0);
    driver.describe(0, {TestDriver::buffers, 4, VRING_DESC_F_WRITE, 0});
    driver.describe(1, {TestDriver::buffers + 0x100, 4, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    driver.offer(1);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue));
    EXPECT_EQ(driver.used(0).len, 4U);
    EXPECT_EQ(driver.used(1).len, 2U);
    EXPECT_EQ(memory(TestDriver::buffers, 4) + memory(TestDriver::buffers + 0x100, 2), "abcdef");
}

TEST_F(ConsoleDeviceTest, TakesNoBufferWithoutInput) {
    driver.describe(0, {TestDriver::buffers, 4, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue));
    EXPECT_EQ(driver.used_index(), 0);
}

TEST_F(ConsoleDeviceTest, RefusesInputWhenFullAndAsksForMoreLater) {
    unsigned room = 0;
    device.on_room([&] { ++room; });
    EXPECT_EQ(type(std::string(5000, 'x')), 4096U);
    EXPECT_EQ(type("y"), 0U);
    driver.describe(0, {TestDriver::buffers, 16, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue));
    EXPECT_EQ(room, 1U);
    EXPECT_EQ(type(std::string(100, 'y')), 16U);
}

TEST_F(ConsoleDeviceTest, WrongBuffersBreakTheQueue) {
    type("a");
    driver.describe(0, {TestDriver::buffers, 16, 0, 0}); // not writable
    driver.offer(0);
    EXPECT_FALSE(service(ConsoleDevice::receive_queue));
}

} // namespace
} // namespace vmm
