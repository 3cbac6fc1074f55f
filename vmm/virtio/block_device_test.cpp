// SPDX-License-Identifier: BSD-3-Clause
// Tests of BlockDevice on a real file, without and with transfers that go on beside it.
#include "virtio/block_device.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>

#include "disk/raw_image.hpp"
#include "disk/temporary_file.hpp"
#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

constexpr std::uint64_t header_at = TestDriver::buffers;
constexpr std::uint64_t status_at = TestDriver::buffers + 0x20;
constexpr std::uint64_t data_at = TestDriver::buffers + 0x1000;
constexpr std::uint16_t next = VRING_DESC_F_NEXT;
constexpr std::uint16_t writable = VRING_DESC_F_WRITE;
constexpr std::uint64_t disk_sectors = 128;

class BlockDeviceTest : public testing::TestWithParam<bool> {
protected:
    BlockDevice open(bool read_only = false) {
        auto image = std::make_unique<RawImage>(HostFile::open(file.path(), read_only));
        auto async = GetParam() ? AsyncFile::open(image->file()) : nullptr;
        EXPECT_EQ(async != nullptr, GetParam()) << "this kernel has no io_uring, or forbids it";
        return {std::move(image), "disk0", std::move(async)};
    }
    // Runs one request that stands in the ring; returns its status byte, -1 if the queue broke.
    int run(BlockDevice& device) {
        driver.store<std::uint8_t>(status_at, 0xff);
        driver.set_available(0);
        driver.offer(0);
        auto queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
        do {
            if (!device.process(0, queue)) {
                return -1;
            }
        } while (queue.pushed() == 0 && wait_for(device));
        written = driver.used(0).len;
        return driver.load<std::uint8_t>(status_at);
    }
    static bool wait_for(const BlockDevice& device) {
        constexpr int patience_ms = 10'000;
        pollfd ready{.fd = device.wake_fd(), .events = POLLIN, .revents = 0};
        return ::poll(&ready, 1, patience_ms) == 1;
    }
    int request(BlockDevice& device, std::uint32_t type, std::uint64_t sector,
                std::uint32_t data_size, bool device_writes) {
        driver.store(header_at, virtio_blk_outhdr{type, 0, sector});
        const bool has_data = data_size != 0;
        driver.describe(0, {header_at, sizeof(virtio_blk_outhdr), next,
                            static_cast<std::uint16_t>(has_data ? 1 : 2)});
        driver.describe(1, {data_at, data_size,
                            static_cast<std::uint16_t>(device_writes ? next | writable : next), 2});
        driver.describe(2, {status_at, 1, writable, 0});
        return run(device);
    }
    int write_zeroes(BlockDevice& device, virtio_blk_discard_write_zeroes range) {
        driver.store(data_at, range);
        return request(device, VIRTIO_BLK_T_WRITE_ZEROES, 0, sizeof(range), false);
    }
    int discard(BlockDevice& device, virtio_blk_discard_write_zeroes range) {
        driver.store(data_at, range);
        return request(device, VIRTIO_BLK_T_DISCARD, 0, sizeof(range), false);
    }
    void fill(std::string_view text) {
        for (std::size_t index = 0; index < 1024; ++index) {
            driver.store(data_at + index, text[index % text.size()]);
        }
    }
    std::string data(std::size_t count) {
        const auto range = *driver.memory().range(data_at, count);
        return {reinterpret_cast<const char*>(range.data()), count};
    }

    test::TemporaryFile file{disk_sectors * 512};
    TestDriver driver{8};
    std::uint32_t written = 0;
};

TEST_P(BlockDeviceTest, DescribesTheDisk) {
    auto device = open();
    virtio_blk_config config{};
    ASSERT_EQ(device.config().size(), sizeof(config));
    std::memcpy(&config, device.config().data(), sizeof(config));
    EXPECT_EQ(config.capacity, disk_sectors);
    EXPECT_EQ(device.device_id(), 2U);
    EXPECT_EQ(device.features() & (1U << VIRTIO_BLK_F_RO), 0U);
    EXPECT_NE(device.features() & (1U << VIRTIO_BLK_F_FLUSH), 0U);
}

TEST_P(BlockDeviceTest, WritesAndReads) {
    auto device = open();
    fill("gunyah!");
    EXPECT_EQ(request(device, VIRTIO_BLK_T_OUT, 3, 1024, false), VIRTIO_BLK_S_OK);
    EXPECT_EQ(written, 1U);
    EXPECT_EQ(file.bytes(3 * 512, 14), "gunyah!gunyah!");
    file.put(4 * 512, "from the host");
    EXPECT_EQ(request(device, VIRTIO_BLK_T_IN, 4, 512, true), VIRTIO_BLK_S_OK);
    EXPECT_EQ(written, 513U);
    EXPECT_EQ(data(13), "from the host");
}

// 2.7.4: the framing of a request is the driver's choice.
TEST_P(BlockDeviceTest, AcceptsAnyFraming) {
    auto device = open();
    file.put(0, std::string(512, 'a'));
    file.put(512, std::string(512, 'b'));
    driver.store(header_at, virtio_blk_outhdr{VIRTIO_BLK_T_IN, 0, 0});
    driver.describe(0, {header_at, 5, next, 1});
    driver.describe(1, {header_at + 5, 11, next, 2});
    driver.describe(2, {data_at, 700, static_cast<std::uint16_t>(next | writable), 3});
    driver.describe(3, {data_at + 700, 0, static_cast<std::uint16_t>(next | writable), 4});
    driver.describe(4, {data_at + 700, 325, writable, 0}); // data and status in one
    auto queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
    driver.offer(0);
    ASSERT_TRUE(device.process(0, queue).has_value());
    EXPECT_EQ(driver.used(0).len, 1025U);
    EXPECT_EQ(data(1024), std::string(512, 'a') + std::string(512, 'b'));
    EXPECT_EQ(driver.load<std::uint8_t>(data_at + 1024), VIRTIO_BLK_S_OK);
}

TEST_P(BlockDeviceTest, RefusesAccessBeyondTheEnd) {
    auto device = open();
    for (const bool device_writes : {true, false}) {
        const std::uint32_t type = device_writes ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT;
        EXPECT_EQ(request(device, type, disk_sectors - 1, 512, device_writes), VIRTIO_BLK_S_OK);
        for (const std::uint64_t sector : {disk_sectors - 1, disk_sectors, disk_sectors + 1,
                                           ~std::uint64_t{0}, std::uint64_t{1} << 55}) {
            EXPECT_EQ(request(device, type, sector, 1024, device_writes), VIRTIO_BLK_S_IOERR);
        }
        EXPECT_EQ(request(device, type, 0, 100, device_writes), VIRTIO_BLK_S_IOERR);
    }
    EXPECT_EQ(std::filesystem::file_size(file.path()), disk_sectors * 512);
}

TEST_P(BlockDeviceTest, AReadOnlyDiskIsNotWritten) {
    auto device = open(true);
    EXPECT_NE(device.features() & (1U << VIRTIO_BLK_F_RO), 0U);
    fill("x");
    EXPECT_EQ(request(device, VIRTIO_BLK_T_OUT, 0, 512, false), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(discard(device, {0, 8, 0}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(file.bytes(0, 1), std::string(1, '\0'));
    EXPECT_EQ(request(device, VIRTIO_BLK_T_IN, 0, 512, true), VIRTIO_BLK_S_OK);
}

TEST_P(BlockDeviceTest, FlushesAndIdentifies) {
    auto device = open();
    EXPECT_EQ(request(device, VIRTIO_BLK_T_FLUSH, 0, 0, false), VIRTIO_BLK_S_OK);
    EXPECT_EQ(request(device, VIRTIO_BLK_T_GET_ID, 0, 20, true), VIRTIO_BLK_S_OK);
    EXPECT_EQ(data(6), std::string("disk0\0", 6));
    EXPECT_EQ(request(device, VIRTIO_BLK_T_GET_ID, 0, 19, true), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(request(device, 99, 0, 0, false), VIRTIO_BLK_S_UNSUPP);
}

TEST_P(BlockDeviceTest, DiscardedSectorsReadAsZero) {
    auto device = open();
    file.put(8 * 512, std::string(8 * 512, 'a'));
    EXPECT_EQ(discard(device, {8, 8, 0}), VIRTIO_BLK_S_OK);
    EXPECT_EQ(file.bytes(8 * 512, 1), std::string(1, '\0'));
    EXPECT_EQ(discard(device, {disk_sectors, 1, 0}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(discard(device, {~0ULL, 1, 0}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(discard(device, {0, 0xffffffff, 0}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(discard(device, {0, 8, 1}), VIRTIO_BLK_S_UNSUPP);
    EXPECT_EQ(discard(device, {0, 0, 0}), VIRTIO_BLK_S_OK);
}

TEST_P(BlockDeviceTest, WritesZeroes) {
    auto device = open();
    EXPECT_NE(device.features() & (1U << VIRTIO_BLK_F_WRITE_ZEROES), 0U);
    for (const std::uint32_t flags : {0U, 1U}) { // keep the blocks, give them back
        file.put(8 * 512, std::string(8 * 512, 'a'));
        EXPECT_EQ(write_zeroes(device, {9, 6, flags}), VIRTIO_BLK_S_OK);
        EXPECT_EQ(file.bytes(8 * 512, 8 * 512),
                  std::string(512, 'a') + std::string(6 * 512, '\0') + std::string(512, 'a'));
    }
    EXPECT_EQ(write_zeroes(device, {0, 8, 2}), VIRTIO_BLK_S_UNSUPP);
    EXPECT_EQ(write_zeroes(device, {disk_sectors, 1, 0}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(write_zeroes(device, {0, 0xffffffff, 0}), VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(write_zeroes(device, {0, 0, 0}), VIRTIO_BLK_S_OK);
    auto reader = test::TemporaryFile{512};
    BlockDevice read_only{std::make_unique<RawImage>(HostFile::open(reader.path(), true)), "ro"};
    EXPECT_EQ(write_zeroes(read_only, {0, 1, 0}), VIRTIO_BLK_S_IOERR);
}

TEST_P(BlockDeviceTest, RequestsWithoutHeaderOrStatusBreakTheQueue) {
    auto device = open();
    driver.describe(0, {header_at, 15, next, 1}); // one byte short
    driver.describe(1, {status_at, 1, writable, 0});
    EXPECT_EQ(run(device), -1);
    driver.describe(0, {header_at, 16, 0, 0}); // nowhere to put the status
    EXPECT_EQ(run(device), -1);
}

// 2.1.2: once the device says that it is reset, the buffers are the driver's.
TEST_P(BlockDeviceTest, AResetEndsWhatIsUnderWay) {
    auto device = open();
    file.put(0, std::string(512, 'a'));
    driver.store(header_at, virtio_blk_outhdr{VIRTIO_BLK_T_IN, 0, 0});
    driver.describe(0, {header_at, sizeof(virtio_blk_outhdr), next, 1});
    driver.describe(1, {data_at, 512, static_cast<std::uint16_t>(next | writable), 2});
    driver.describe(2, {status_at, 1, writable, 0});
    for (int round = 0; round < 100; ++round) {
        driver.set_available(0);
        driver.offer(0);
        auto queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
        ASSERT_TRUE(device.process(0, queue).has_value());
        device.reset();
        driver.store(data_at, 'x');
        auto next_queue = Virtqueue::create(driver.memory(), driver.layout(), {}).value();
        driver.set_available(0);
        ASSERT_TRUE(device.process(0, next_queue).has_value());
        EXPECT_EQ(next_queue.pushed(), 0U);
        EXPECT_EQ(data(1), "x");
    }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutIoUring, BlockDeviceTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? "Async" : "Plain"; });

} // namespace
} // namespace vmm
