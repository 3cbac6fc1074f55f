// SPDX-License-Identifier: BSD-3-Clause
// Tests of ConsoleDevice: both directions, and back-pressure.
#include "virtio/console_device.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

class ConsoleDeviceTest : public testing::Test {
protected:
    std::size_t type(std::string_view text) {
        return device.port(0).receive(std::as_bytes(std::span{text}));
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
    ConsolePortSettings settings(const std::string& name) {
        return {.name = name,
                .sink = {.write =
                             [this](std::span<const std::byte> bytes) {
                                 printed.append(reinterpret_cast<const char*>(bytes.data()),
                                                bytes.size());
                             },
                         .has_room = [this] { return has_room; }}};
    }
    bool has_room = true;
    ConsoleDevice device{{settings("")}};
};

TEST_F(ConsoleDeviceTest, PrintsWhatTheGuestSends) {
    for (const char character : std::string{"hello"}) {
        static std::uint64_t at = TestDriver::buffers;
        driver.store(at++, character);
    }
    driver.describe(0, {TestDriver::buffers, 2, VRING_DESC_F_NEXT, 1});
    driver.describe(1, {TestDriver::buffers + 2, 3, 0, 0});
    driver.offer(0);
    EXPECT_TRUE(service(ConsoleDevice::transmit_queue(0)));
    EXPECT_EQ(printed, "hello");
    EXPECT_EQ(driver.used_index(), 1);
}

TEST_F(ConsoleDeviceTest, KeepsInputUntilTheGuestHasABuffer) {
    unsigned ready = 0;
    device.on_ready([&](unsigned index) { ready += index == 0 ? 1 : 0; });
    EXPECT_EQ(type("abcdef"), 6U);
    EXPECT_EQ(ready, 1U);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue(0)));
    EXPECT_EQ(driver.used_index(), 0);
    driver.describe(0, {TestDriver::buffers, 4, VRING_DESC_F_WRITE, 0});
    driver.describe(1, {TestDriver::buffers + 0x100, 4, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    driver.offer(1);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue(0)));
    EXPECT_EQ(driver.used(0).len, 4U);
    EXPECT_EQ(driver.used(1).len, 2U);
    EXPECT_EQ(memory(TestDriver::buffers, 4) + memory(TestDriver::buffers + 0x100, 2), "abcdef");
}

TEST_F(ConsoleDeviceTest, TakesNoBufferWithoutInput) {
    driver.describe(0, {TestDriver::buffers, 4, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue(0)));
    EXPECT_EQ(driver.used_index(), 0);
}

TEST_F(ConsoleDeviceTest, RefusesInputWhenFullAndAsksForMoreLater) {
    unsigned room = 0;
    device.port(0).on_room([&] { ++room; });
    EXPECT_EQ(type(std::string(5000, 'x')), 4096U);
    EXPECT_EQ(type("y"), 0U);
    driver.describe(0, {TestDriver::buffers, 16, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    EXPECT_TRUE(service(ConsoleDevice::receive_queue(0)));
    EXPECT_EQ(room, 1U);
    EXPECT_EQ(type(std::string(100, 'y')), 16U);
}

TEST_F(ConsoleDeviceTest, WrongBuffersBreakTheQueue) {
    type("a");
    driver.describe(0, {TestDriver::buffers, 16, 0, 0}); // not writable
    driver.offer(0);
    EXPECT_FALSE(service(ConsoleDevice::receive_queue(0)));
}

TEST_F(ConsoleDeviceTest, PrintsNothingWhileNobodyTakesIt) {
    driver.store(TestDriver::buffers, 'x');
    driver.describe(0, {TestDriver::buffers, 1, 0, 0});
    driver.offer(0);
    has_room = false;
    EXPECT_TRUE(service(ConsoleDevice::transmit_queue(0)));
    EXPECT_EQ(driver.used_index(), 0);
    has_room = true;
    EXPECT_TRUE(service(ConsoleDevice::transmit_queue(0)));
    EXPECT_EQ(printed, "x");
}

TEST_F(ConsoleDeviceTest, OnePortShowsItsSizeInTheConfiguration) {
    EXPECT_EQ(device.features(), feature(VIRTIO_CONSOLE_F_SIZE));
    EXPECT_EQ(device.queue_sizes().size(), 2U);
    device.set_size(0, {.columns = 132, .rows = 50});
    virtio_console_config config{};
    std::memcpy(&config, device.config().data(), sizeof(config));
    EXPECT_EQ(config.cols, 132);
    EXPECT_EQ(config.rows, 50);
    EXPECT_EQ(config.max_nr_ports, 1U);
}

TEST_F(ConsoleDeviceTest, SeveralPortsHaveQueuesOfTheirOwn) {
    ConsoleDevice several{{settings(""), settings(""), settings("org.agent")}};
    EXPECT_NE(several.features() & feature(VIRTIO_CONSOLE_F_MULTIPORT), 0U);
    EXPECT_EQ(several.queue_sizes().size(), 8U);
    std::set<unsigned> ready;
    several.on_ready([&](unsigned index) { ready.insert(index); });
    EXPECT_EQ(several.port(1).receive(std::as_bytes(std::span{"one", 3})), 3U);
    EXPECT_EQ(ready, std::set<unsigned>{4});
    driver.describe(0, {TestDriver::buffers, 16, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    EXPECT_TRUE(several.process(4, queue).has_value());
    EXPECT_EQ(memory(TestDriver::buffers, 3), "one");
    driver.describe(1, {TestDriver::buffers, 3, 0, 0});
    driver.offer(1);
    EXPECT_TRUE(several.process(7, queue).has_value());
    EXPECT_EQ(printed, "one");
}

TEST_F(ConsoleDeviceTest, AStreamTakesInputWhileAProgramHasItOpen) {
    ConsoleDevice several{{settings(""), settings("org.agent")}};
    std::set<unsigned> ready;
    several.on_ready([&](unsigned index) { ready.insert(index); });
    EXPECT_EQ(several.port(1).receive(std::as_bytes(std::span{"one", 3})), 3U);
    driver.describe(0, {TestDriver::buffers, 16, VRING_DESC_F_WRITE, 0});
    driver.offer(0);
    EXPECT_TRUE(several.process(4, queue).has_value());
    EXPECT_EQ(driver.used_index(), 0);
    TestDriver control{4};
    Virtqueue control_queue = Virtqueue::create(control.memory(), control.layout(), {}).value();
    control.store(TestDriver::buffers,
                  virtio_console_control{.id = 1, .event = VIRTIO_CONSOLE_PORT_OPEN, .value = 1});
    control.describe(0, {TestDriver::buffers, 8, 0, 0});
    control.offer(0);
    ready.clear();
    EXPECT_TRUE(several.process(ConsoleDevice::control_transmit_queue, control_queue).has_value());
    EXPECT_TRUE(ready.contains(4));
    EXPECT_TRUE(several.process(4, queue).has_value());
    EXPECT_EQ(memory(TestDriver::buffers, 3), "one");
}

} // namespace
} // namespace vmm
