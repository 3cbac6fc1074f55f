// SPDX-License-Identifier: BSD-3-Clause
// Tests of ShareDevice: requests in guest memory, whole and malformed.
#include "virtio/share_device.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "share/test_client.hpp"
#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using share::Message;
using share::test::Request;
using test::TestDriver;

constexpr std::uint64_t request_at = TestDriver::buffers;
constexpr std::uint64_t reply_at = TestDriver::buffers + 0x1000;
constexpr std::uint16_t next = VRING_DESC_F_NEXT;
constexpr std::uint16_t writable = VRING_DESC_F_WRITE;

class ShareDeviceTest : public testing::Test {
protected:
    // Puts a request of `claimed` bytes into memory, sends it in two pieces; its reply's type, or
    // -1.
    int send(Message type, const Request& request, std::uint32_t claimed, std::uint32_t room) {
        const auto size = static_cast<std::uint32_t>(share::Header::size + request.bytes().size());
        driver.store(request_at, claimed);
        driver.store(request_at + 4, static_cast<std::uint8_t>(type));
        driver.store(request_at + 5, std::uint16_t{99});
        for (std::size_t index = 0; index < request.bytes().size(); ++index) {
            driver.store(request_at + share::Header::size + index, request.bytes()[index]);
        }
        driver.describe(0, {request_at, 5, next, 1});
        driver.describe(1, {request_at + 5, size - 5, next, 2});
        driver.describe(2, {reply_at, room, writable, 0});
        driver.set_available(0);
        driver.offer(0);
        auto queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
        if (!device.process(0, queue)) {
            return -1;
        }
        EXPECT_EQ(driver.used(0).len, driver.load<std::uint32_t>(reply_at));
        EXPECT_EQ(driver.load<std::uint16_t>(reply_at + 5), 99);
        return driver.load<std::uint8_t>(reply_at + 4);
    }

    share::test::TemporaryFolder folder;
    ShareDevice device{folder.shared(), "tag", false, 64};
    TestDriver driver{8};
    const Request version = Request{}.with(8192U).with("9P2000.L");
    const std::uint32_t version_size = 7 + 4 + 2 + 8;
};

TEST_F(ShareDeviceTest, ShowsItsTag) {
    EXPECT_EQ(device.device_id(), 9U);
    EXPECT_EQ(device.features(), 1U);
    const auto config = device.config();
    EXPECT_EQ((std::string{reinterpret_cast<const char*>(config.data()), config.size()}),
              (std::string{"\3\0tag", 5}));
}

TEST_F(ShareDeviceTest, Answers) {
    EXPECT_EQ(send(Message::version, version, version_size, 100), 101);
    EXPECT_EQ(driver.load<std::uint32_t>(reply_at + 7), 8192U);
}

TEST_F(ShareDeviceTest, AWrongLengthIsAnError) {
    for (const std::uint32_t size : {0U, 6U, version_size + 1, 1U << 20, ~0U}) {
        EXPECT_EQ(send(Message::version, version, size, 100), 7) << size;
    }
    EXPECT_EQ(send(Message::version, version, version_size - 1, 100), 7); // cut off
}

TEST_F(ShareDeviceTest, WithoutRoomForAReplyTheQueueBreaks) {
    EXPECT_EQ(send(Message::version, version, version_size, 10), -1);
    EXPECT_EQ(send(Message::version, version, version_size, 11), 7); // too small for a good one
    EXPECT_EQ(driver.load<std::uint32_t>(reply_at + 7), static_cast<std::uint32_t>(EMSGSIZE));
}

} // namespace
} // namespace vmm
