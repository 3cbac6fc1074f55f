// SPDX-License-Identifier: BSD-3-Clause
// Tests of AsyncFile on a real file and the kernel that they run on.
#include "disk/async_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "disk/temporary_file.hpp"
#include "libgunyah/file_descriptor.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t file_size = 64 * 1024;

class AsyncFileTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_NE(async, nullptr) << "no io_uring here, or it is forbidden"; }

    // Lets all that was begun come to its end; false if it does not.
    bool run(const int& finished, int wanted) {
        EXPECT_TRUE(async->submit());
        for (async->reap(); finished < wanted; async->reap()) {
            constexpr int patience_ms = 10'000;
            pollfd ready{.fd = async->wake_fd(), .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, patience_ms) != 1) {
                return false;
            }
        }
        return true;
    }

    test::TemporaryFile file{file_size};
    gunyah::FileDescriptor fd{::open(file.path().c_str(), O_RDWR | O_CLOEXEC)};
    std::unique_ptr<AsyncFile> async = AsyncFile::open(fd.get());
};

TEST_F(AsyncFileTest, WritesSyncsAndReadsPieces) {
    std::string first = "gun";
    std::string second = "yah";
    int finished = 0;
    const auto count = [&](bool complete) { finished += complete ? 1 : 0; };
    async->write({{first.data(), first.size()}, {second.data(), second.size()}}, 1000, count);
    ASSERT_TRUE(run(finished, 1));
    async->sync(count);
    ASSERT_TRUE(run(finished, 2));
    EXPECT_EQ(file.bytes(1000, 6), "gunyah");
    file.put(2000, "from the host");
    std::string read(13, '?');
    async->read({{read.data(), 4}, {read.data() + 4, 9}}, 2000, count);
    ASSERT_TRUE(run(finished, 3));
    EXPECT_EQ(read, "from the host");
}

TEST_F(AsyncFileTest, TakesAsManyAsItHasPlacesFor) {
    std::string data(AsyncFile::capacity, '?');
    int finished = 0;
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned index = 0; index < AsyncFile::capacity; ++index) {
            ASSERT_TRUE(async->has_room());
            file.put(index, std::string(1, static_cast<char>('A' + (index + round) % 26)));
            async->read({{&data[index], 1}}, index,
                        [&](bool complete) { finished += complete ? 1 : 0; });
        }
        EXPECT_FALSE(async->has_room());
        ASSERT_TRUE(run(finished, static_cast<int>((round + 1) * AsyncFile::capacity)));
        EXPECT_EQ(data, file.bytes(0, AsyncFile::capacity));
    }
}

TEST_F(AsyncFileTest, TellsWhenNotAllWasMoved) {
    std::string data(100, '?');
    int finished = 0;
    int complete_ones = 0;
    const auto count = [&](bool complete) {
        ++finished;
        complete_ones += complete ? 1 : 0;
    };
    async->read({{data.data(), data.size()}}, file_size - 50, count); // half of it
    async->read({{nullptr, 100}}, 0, count);                          // EFAULT
    ASSERT_TRUE(run(finished, 2));
    EXPECT_EQ(complete_ones, 0);
}

TEST_F(AsyncFileTest, CancellingWaitsAndCallsNobody) {
    std::string data(4096, '?');
    for (unsigned index = 0; index < AsyncFile::capacity; ++index) {
        async->read({{data.data(), data.size()}}, 0, [](bool) { FAIL(); });
        if (index == AsyncFile::capacity / 2) {
            EXPECT_TRUE(async->submit()); // some are under way, some only begun
        }
    }
    async->cancel();
    EXPECT_TRUE(async->has_room());
    async->reap();
}

// What somebody could ask for who has taken the VMM over.
TEST_F(AsyncFileTest, TheRingServesNothingElse) {
    const auto ring = static_cast<long>(async->wake_fd());
    int other = fd.get();
    EXPECT_EQ(::syscall(__NR_io_uring_register, ring, IORING_REGISTER_EVENTFD, &other, 1), -1);
    EXPECT_EQ(errno, EACCES);
}

} // namespace
} // namespace vmm
