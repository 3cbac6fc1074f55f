// SPDX-License-Identifier: BSD-3-Clause
// Tests of VsockDevice: packets in buffers, and who wakes whom.
#include "virtio/vsock_device.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <string>

#include "virtio/test_driver.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

using test::TestDriver;

class VsockDeviceTest : public testing::Test {
protected:
    VsockDeviceTest() {
        ::mkdtemp(folder.data());
        device.emplace(std::make_unique<VsockHost>(
            7, listen_unix(folder + "/vsock"),
            [](std::uint32_t /*port*/) { return gunyah::FileDescriptor{}; }));
    }
    ~VsockDeviceTest() override { std::filesystem::remove_all(folder); }

    void offer_buffer(unsigned index) {
        driver.describe(index, {TestDriver::buffers + index * 0x100, 0x100, VRING_DESC_F_WRITE, 0});
        driver.offer(static_cast<std::uint16_t>(index));
    }
    // A packet for a port where nobody listens.
    void offer_packet(unsigned index, std::uint32_t length = 0) {
        VsockHeader header;
        header.source_cid = 7;
        header.destination_cid = vsock_host_cid;
        header.source_port = 5;
        header.destination_port = 100 + index;
        header.length = length;
        header.operation = VsockOperation::data;
        driver.store(TestDriver::buffers + index * 0x100, header);
        driver.describe(index, {TestDriver::buffers + index * 0x100, 44 + 4, 0, 0});
        driver.offer(static_cast<std::uint16_t>(index));
    }
    void service(unsigned index) { EXPECT_TRUE(device->process(index, queue).has_value()); }
    [[nodiscard]] bool awake() const {
        pollfd state{device->wake_fd(), POLLIN, 0};
        return ::poll(&state, 1, 0) == 1;
    }

    std::string folder = testing::TempDir() + "/gunyah-vsock-XXXXXX";
    TestDriver driver{8};
    Virtqueue queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
    std::optional<VsockDevice> device;
};

TEST_F(VsockDeviceTest, ShowsTheGuestsCid) {
    ASSERT_EQ(device->config().size(), 8U);
    EXPECT_EQ(device->config()[0], std::byte{7});
}

TEST_F(VsockDeviceTest, ListensOnlyWhileTheGuestHasBuffers) {
    const auto program = connect_unix(folder + "/vsock", true);
    ASSERT_EQ(::send(program.get(), "CONNECT 5\n", 10, 0), 10);
    EXPECT_FALSE(awake()) << "the driver is not up";
    service(VsockDevice::receive_queue);
    for (int round = 0; round < 3 && awake(); ++round) {
        service(VsockDevice::receive_queue);
    }
    EXPECT_FALSE(awake()) << "it would spin";
    offer_buffer(0);
    service(VsockDevice::receive_queue);
    EXPECT_EQ(driver.used_index(), 1);
    EXPECT_EQ(driver.used(0).len, 44U);
    EXPECT_EQ(driver.load<VsockHeader>(TestDriver::buffers).operation, VsockOperation::request);
    EXPECT_FALSE(awake());
    device->reset();
    EXPECT_FALSE(awake());
}

TEST_F(VsockDeviceTest, AnAnswerWakesTheReceiveQueue) {
    service(VsockDevice::receive_queue);
    offer_packet(0);
    service(VsockDevice::transmit_queue);
    EXPECT_EQ(driver.used_index(), 1);
    EXPECT_TRUE(awake());
    offer_buffer(1);
    service(VsockDevice::receive_queue);
    EXPECT_EQ(driver.load<VsockHeader>(TestDriver::buffers + 0x100).operation,
              VsockOperation::reset);
    EXPECT_FALSE(awake());
}

TEST_F(VsockDeviceTest, BrokenPacketsBreakTheQueue) {
    offer_packet(0, 5); // says five bytes, has four
    EXPECT_FALSE(device->process(VsockDevice::transmit_queue, queue).has_value());
}

TEST_F(VsockDeviceTest, EventsAreNotUsed) {
    offer_buffer(0);
    service(VsockDevice::event_queue);
    EXPECT_EQ(driver.used_index(), 0);
}

} // namespace
} // namespace vmm
