// SPDX-License-Identifier: BSD-3-Clause
// Tests of NetDevice: frames over buffers of every shape, and who waits for what.
#include "virtio/net_device.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <deque>
#include <string>

#include "libgunyah/event_fd.hpp"
#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

// The host: an eventfd that is readable while there are frames, writable always.
class FakeBackend : public NetBackend {
public:
    [[nodiscard]] std::uint64_t offloads() const override { return feature(net_feature::checksum); }
    void use_offloads(std::uint64_t features) override { used = features; }
    [[nodiscard]] int fd() const override { return event.fd(); }
    [[nodiscard]] bool is_open() const override { return open; }
    bool can_send() override { return room > 0; }
    void send(const NetHeader& header,
              std::span<const std::span<const std::byte>> pieces) override {
        --room;
        flags = header.flags;
        std::string& frame = sent.emplace_back();
        for (const auto& piece : pieces) {
            frame.append(reinterpret_cast<const char*>(piece.data()), piece.size());
        }
    }
    std::optional<NetFrame> front() override {
        if (frames.empty()) {
            event.drain();
            return std::nullopt;
        }
        return NetFrame{.header = {}, .bytes = std::as_bytes(std::span{frames.front()})};
    }
    void pop() override { frames.pop_front(); }

    void arrive(std::string frame) {
        frames.push_back(std::move(frame));
        event.signal();
    }

    gunyah::EventFd event;
    std::deque<std::string> frames;
    std::vector<std::string> sent;
    unsigned room = 1000;
    unsigned flags = 0;
    std::uint64_t used = 0;
    bool open = true;
};

class NetDeviceTest : public testing::Test {
protected:
    NetDeviceTest() {
        auto owned = std::make_unique<FakeBackend>();
        host = owned.get();
        device.emplace(std::move(owned), MacAddress{2, 0, 0, 0, 0, 7}, 1500, [this] { ++closed; });
    }
    bool service(unsigned index) {
        const auto result = device->process(index, queue);
        EXPECT_TRUE(result.has_value());
        return result.value_or(false);
    }
    void offer_buffer(unsigned index, std::uint64_t address, std::uint32_t size) {
        driver.describe(index, {address, size, VRING_DESC_F_WRITE, 0});
        driver.offer(static_cast<std::uint16_t>(index));
    }
    std::string memory(std::uint64_t address, std::size_t count) {
        const auto range = *driver.memory().range(address, count);
        return {reinterpret_cast<const char*>(range.data()), count};
    }
    // A frame to send with its header, in one buffer.
    void offer_frame(unsigned index, std::string_view frame) {
        const std::uint64_t at = TestDriver::buffers + index * 0x1000;
        driver.store(at, NetHeader{});
        std::ranges::copy(std::as_bytes(std::span{frame}),
                          driver.memory().range(at + 12, frame.size())->begin());
        driver.describe(index, {at, static_cast<std::uint32_t>(12 + frame.size()), 0, 0});
        driver.offer(static_cast<std::uint16_t>(index));
    }
    [[nodiscard]] bool awake() const {
        pollfd state{device->wake_fd(), POLLIN, 0};
        return ::poll(&state, 1, 0) == 1;
    }

    TestDriver driver{8};
    Virtqueue queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
    FakeBackend* host = nullptr;
    unsigned closed = 0;
    std::optional<NetDevice> device;
};

const std::string some_frame(60, 'f');

TEST_F(NetDeviceTest, ShowsItsAddressAndMtu) {
    const auto config = device->config();
    ASSERT_EQ(config.size(), 12U);
    EXPECT_EQ(config[0], std::byte{2});
    EXPECT_EQ(config[5], std::byte{7});
    EXPECT_EQ(config[6], std::byte{1}); // link up
    EXPECT_EQ(config[10], std::byte{1500 & 0xff});
    EXPECT_NE(device->features() & feature(net_feature::checksum), 0U);
}

TEST_F(NetDeviceTest, SendsFrames) {
    offer_frame(0, some_frame);
    offer_frame(1, "short"); // less than an Ethernet header: lost
    driver.describe(2, {TestDriver::buffers, 5, VRING_DESC_F_NEXT, 3}); // split in the header
    driver.describe(3, {TestDriver::buffers + 5, 7 + 60, 0, 0});
    driver.offer(2);
    EXPECT_FALSE(service(NetDevice::transmit_queue));
    EXPECT_EQ(host->sent, (std::vector<std::string>{some_frame, some_frame}));
    EXPECT_EQ(driver.used_index(), 3);
    EXPECT_EQ(driver.used(0).len, 0U);
}

TEST_F(NetDeviceTest, WaitsForAHostThatIsFull) {
    host->room = 1;
    offer_frame(0, some_frame);
    offer_frame(1, some_frame);
    EXPECT_FALSE(awake());
    service(NetDevice::transmit_queue);
    EXPECT_EQ(driver.used_index(), 1);
    EXPECT_TRUE(awake()); // an eventfd is always writable
    host->room = 1;
    service(NetDevice::transmit_queue);
    EXPECT_EQ(driver.used_index(), 2);
    host->room = 1;
    service(NetDevice::transmit_queue);
    EXPECT_FALSE(awake());
}

TEST_F(NetDeviceTest, FillsOneBuffer) {
    offer_buffer(0, TestDriver::buffers, 2048);
    host->arrive(some_frame);
    EXPECT_FALSE(service(NetDevice::receive_queue));
    EXPECT_EQ(driver.used(0).len, 72U);
    EXPECT_EQ(driver.load<NetHeader>(TestDriver::buffers).buffers, 1);
    EXPECT_EQ(memory(TestDriver::buffers + 12, 60), some_frame);
}

TEST_F(NetDeviceTest, SpreadsAFrameOverMergeableBuffers) {
    device->negotiated(feature(net_feature::mergeable_buffers));
    std::string frame(250, 'a');
    frame.replace(88, 162, std::string(162, 'b'));
    host->arrive(frame);
    offer_buffer(0, TestDriver::buffers, 100);
    EXPECT_FALSE(service(NetDevice::receive_queue));
    EXPECT_EQ(driver.used_index(), 0) << "not before the whole frame has room";
    offer_buffer(1, TestDriver::buffers + 0x1000, 100);
    offer_buffer(2, TestDriver::buffers + 0x2000, 100);
    EXPECT_FALSE(service(NetDevice::receive_queue));
    EXPECT_EQ(driver.used_index(), 3);
    EXPECT_EQ(driver.used(0).len, 100U);
    EXPECT_EQ(driver.used(2).len, 62U);
    EXPECT_EQ(driver.load<NetHeader>(TestDriver::buffers).buffers, 3);
    EXPECT_EQ(memory(TestDriver::buffers + 12, 88), std::string(88, 'a'));
    EXPECT_EQ(memory(TestDriver::buffers + 0x2000, 62), std::string(62, 'b'));
}

TEST_F(NetDeviceTest, LosesAFrameThatIsTooLongForItsBuffer) {
    offer_buffer(0, TestDriver::buffers, 50);
    host->arrive(some_frame);
    host->arrive(std::string(20, 'g'));
    EXPECT_FALSE(service(NetDevice::receive_queue));
    EXPECT_EQ(driver.used(0).len, 32U);
    EXPECT_EQ(memory(TestDriver::buffers + 12, 20), std::string(20, 'g'));
}

TEST_F(NetDeviceTest, SleepsWhileTheGuestHasNoBuffers) {
    host->arrive(some_frame);
    EXPECT_FALSE(awake()) << "the driver is not up";
    offer_buffer(0, TestDriver::buffers, 100);
    service(NetDevice::receive_queue);
    EXPECT_FALSE(awake());
    host->arrive(some_frame);
    EXPECT_TRUE(awake());
    service(NetDevice::receive_queue);
    EXPECT_FALSE(awake()) << "it would spin";
    offer_buffer(0, TestDriver::buffers, 100);
    service(NetDevice::receive_queue);
    EXPECT_EQ(driver.used_index(), 2);
    host->arrive(some_frame);
    EXPECT_TRUE(awake());
    device->reset();
    EXPECT_FALSE(awake());
}

TEST_F(NetDeviceTest, OneTurnIsBounded) {
    for (int count = 0; count < 20; ++count) {
        host->arrive(some_frame);
    }
    for (unsigned index = 0; index < 8; ++index) {
        offer_buffer(index, TestDriver::buffers, 100);
    }
    EXPECT_TRUE(service(NetDevice::receive_queue));
    EXPECT_EQ(driver.used_index(), 8);
}

TEST_F(NetDeviceTest, BrokenBuffersBreakTheQueue) {
    host->arrive(some_frame);
    offer_buffer(0, TestDriver::buffers, 11);
    EXPECT_FALSE(device->process(NetDevice::receive_queue, queue).has_value());
    driver.describe(1, {TestDriver::buffers, 11, 0, 0});
    driver.offer(1);
    EXPECT_FALSE(device->process(NetDevice::transmit_queue, queue).has_value());
}

TEST_F(NetDeviceTest, BuffersWithoutEndBreakTheQueue) {
    device->negotiated(feature(net_feature::mergeable_buffers));
    host->arrive(std::string(5000, 'x'));
    for (int count = 0; count < 3; ++count) {
        for (unsigned index = 0; index < 4; ++index) {
            offer_buffer(index, TestDriver::buffers, 12);
        }
        const bool fine = device->process(NetDevice::receive_queue, queue).has_value();
        EXPECT_EQ(fine, count < 2) << "no more buffers than the queue has";
    }
}

TEST_F(NetDeviceTest, SaysOnceThatTheHostHasGone) {
    offer_buffer(0, TestDriver::buffers, 100);
    service(NetDevice::receive_queue);
    host->open = false;
    host->event.signal();
    EXPECT_TRUE(awake());
    service(NetDevice::receive_queue);
    service(NetDevice::receive_queue);
    EXPECT_EQ(closed, 1U);
    EXPECT_FALSE(awake());
}

TEST_F(NetDeviceTest, TheLinkIsDownWhenTheHostHasGone) {
    const auto status = [this] { return std::to_integer<unsigned>(device->config()[6]); };
    service(NetDevice::receive_queue);
    EXPECT_EQ(status(), net_link_up);
    EXPECT_FALSE(device->take_config_change());
    host->open = false;
    service(NetDevice::transmit_queue);
    EXPECT_EQ(status(), 0U);
    EXPECT_TRUE(device->take_config_change());
    EXPECT_FALSE(device->take_config_change());
    device->reset();
    EXPECT_EQ(status(), 0U) << "it does not come back";
}

TEST_F(NetDeviceTest, TellsTheBackendWhatWasNegotiated) {
    device->negotiated(feature(net_feature::checksum) | feature(net_feature::mac));
    EXPECT_EQ(host->used & feature(net_feature::checksum), feature(net_feature::checksum));
    device->reset();
    EXPECT_EQ(host->used, 0U);
}

} // namespace
} // namespace vmm
