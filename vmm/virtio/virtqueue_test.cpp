// SPDX-License-Identifier: BSD-3-Clause
// Tests of Virtqueue: well-behaved drivers, notification suppression, and hostile rings.
#include "virtio/virtqueue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <random>

#include "virtio/test_driver.hpp"

namespace vmm {
namespace {

using test::TestDriver;

constexpr std::uint64_t buffer = TestDriver::buffers;
constexpr std::uint64_t end_of_ram = TestDriver::base + TestDriver::memory_size;
constexpr std::uint16_t next = VRING_DESC_F_NEXT;
constexpr std::uint16_t writable = VRING_DESC_F_WRITE;
constexpr std::uint16_t indirect = VRING_DESC_F_INDIRECT;

class VirtqueueTest : public testing::Test {
protected:
    Virtqueue make(RingFeatures features = {.indirect = true, .event_index = false}) {
        return Virtqueue::create(driver.memory(), driver.layout(), features).value();
    }
    QueueError pop_error(RingFeatures features = {.indirect = true, .event_index = false}) {
        auto queue = make(features);
        const auto chain = queue.pop();
        EXPECT_FALSE(chain.has_value());
        return chain.has_value() ? QueueError{} : chain.error();
    }

    TestDriver driver{4};
};

TEST_F(VirtqueueTest, AnEmptyQueueHasNoChain) {
    auto queue = make();
    const auto chain = queue.pop();
    ASSERT_TRUE(chain.has_value());
    EXPECT_FALSE(chain->has_value());
}

TEST_F(VirtqueueTest, CollectsReadableThenWritableBuffers) {
    driver.describe(2, {buffer, 16, next, 0});
    driver.describe(0, {buffer + 0x100, 32, next, 3});
    driver.describe(3, {buffer + 0x200, 64, writable, 0});
    driver.offer(2);
    auto queue = make();
    const auto chain = queue.pop().value();
    ASSERT_TRUE(chain.has_value());
    EXPECT_EQ(chain->head, 2);
    ASSERT_EQ(chain->readable.size(), 2U);
    EXPECT_EQ(chain->readable[0].size(), 16U);
    EXPECT_EQ(chain->readable[1].size(), 32U);
    ASSERT_EQ(chain->writable.size(), 1U);
    EXPECT_EQ(chain->writable[0].data(), driver.memory().range(buffer + 0x200, 64)->data());
    EXPECT_FALSE(queue.pop().value().has_value());
}

TEST_F(VirtqueueTest, FollowsAnIndirectTable) {
    driver.describe(1, {buffer, 3 * 16, indirect, 0});
    driver.describe(buffer, 0, {buffer + 0x100, 8, next, 2});
    driver.describe(buffer, 2, {buffer + 0x200, 8, writable, 0});
    driver.offer(1);
    const auto chain = make().pop().value();
    ASSERT_TRUE(chain.has_value());
    EXPECT_EQ(chain->readable.size(), 1U);
    EXPECT_EQ(chain->writable.size(), 1U);
}

TEST_F(VirtqueueTest, ReturnsChainsThroughTheUsedRing) {
    auto queue = make();
    for (unsigned round = 0; round < 70'000; ++round) { // the 16-bit indices wrap
        driver.describe(round % 4, {buffer, 4, writable, 0});
        driver.offer(static_cast<std::uint16_t>(round % 4));
        const auto chain = queue.pop().value();
        ASSERT_TRUE(chain.has_value());
        queue.push(chain->head, round);
        ASSERT_EQ(driver.used_index(), static_cast<std::uint16_t>(round + 1));
        ASSERT_EQ(driver.used(round % 4).id, round % 4);
        ASSERT_EQ(driver.used(round % 4).len, round);
    }
}

TEST_F(VirtqueueTest, InterruptsUnlessTheDriverDoesNotWantThem) {
    auto queue = make();
    EXPECT_FALSE(queue.needs_interrupt()); // nothing pushed
    queue.push(0, 0);
    EXPECT_TRUE(queue.needs_interrupt());
    EXPECT_FALSE(queue.needs_interrupt());
    driver.set_available_flags(VRING_AVAIL_F_NO_INTERRUPT);
    queue.push(0, 0);
    EXPECT_FALSE(queue.needs_interrupt());
}

TEST_F(VirtqueueTest, HonoursTheUsedEventIndex) {
    auto queue = make({.indirect = false, .event_index = true});
    driver.set_used_event(1);
    queue.push(0, 0);
    EXPECT_FALSE(queue.needs_interrupt());
    queue.push(1, 0);
    EXPECT_TRUE(queue.needs_interrupt());
    queue.push(2, 0);
    EXPECT_FALSE(queue.needs_interrupt());
}

TEST_F(VirtqueueTest, SuppressesKicksByFlag) {
    auto queue = make();
    queue.suppress_kicks();
    EXPECT_EQ(driver.used_flags(), VRING_USED_F_NO_NOTIFY);
    EXPECT_FALSE(queue.allow_kicks());
    EXPECT_EQ(driver.used_flags(), 0);
}

TEST_F(VirtqueueTest, SuppressesKicksByEventIndex) {
    auto queue = make({.indirect = false, .event_index = true});
    driver.describe(0, {buffer, 4, writable, 0});
    driver.offer(0);
    queue.suppress_kicks();
    ASSERT_TRUE(queue.pop().value().has_value());
    EXPECT_EQ(driver.available_event(), 0);
    EXPECT_FALSE(queue.allow_kicks());
    EXPECT_EQ(driver.available_event(), 1);
}

TEST_F(VirtqueueTest, TellsThatChainsCameWhileKicksWereSuppressed) {
    auto queue = make();
    queue.suppress_kicks();
    driver.offer(0);
    EXPECT_TRUE(queue.allow_kicks());
}

TEST_F(VirtqueueTest, RefusesImpossibleLayouts) {
    const auto error = [&](auto change) {
        QueueLayout layout = driver.layout();
        change(layout);
        const auto queue = Virtqueue::create(driver.memory(), layout, {});
        return queue.has_value() ? std::optional<QueueError>{} : queue.error();
    };
    for (const std::uint16_t size : std::initializer_list<std::uint16_t>{0, 3, 5, 1000, 65535}) {
        EXPECT_EQ(error([&](auto& layout) { layout.size = size; }), QueueError::bad_size);
    }
    EXPECT_EQ(error([](auto& layout) { layout.descriptors += 8; }), QueueError::misaligned_ring);
    EXPECT_EQ(error([](auto& layout) { layout.available += 1; }), QueueError::misaligned_ring);
    EXPECT_EQ(error([](auto& layout) { layout.used += 2; }), QueueError::misaligned_ring);
    for (const std::uint64_t address : {std::uint64_t{0}, TestDriver::base - 16, end_of_ram - 16,
                                        end_of_ram, ~std::uint64_t{15}}) {
        EXPECT_EQ(error([&](auto& layout) { layout.descriptors = address; }),
                  QueueError::ring_outside_memory);
        EXPECT_EQ(error([&](auto& layout) { layout.used = address; }),
                  QueueError::ring_outside_memory);
    }
    EXPECT_EQ(error([](auto& layout) { layout.available = end_of_ram - 8; }),
              QueueError::ring_outside_memory);
}

TEST_F(VirtqueueTest, RefusesAnAvailableIndexBeyondTheQueue) {
    driver.set_available(5);
    EXPECT_EQ(pop_error(), QueueError::available_overrun);
    driver.set_available(0xffff);
    EXPECT_EQ(pop_error(), QueueError::available_overrun);
}

TEST_F(VirtqueueTest, RefusesIndicesBeyondTheTable) {
    driver.offer(4);
    EXPECT_EQ(pop_error(), QueueError::index_out_of_range);
    driver.set_available(0);
    driver.describe(0, {buffer, 4, next, 4});
    driver.offer(0);
    EXPECT_EQ(pop_error(), QueueError::index_out_of_range);
}

TEST_F(VirtqueueTest, RefusesLoops) {
    driver.describe(0, {buffer, 4, next, 1});
    driver.describe(1, {buffer, 4, next, 0});
    driver.offer(0);
    EXPECT_EQ(pop_error(), QueueError::chain_too_long);
    driver.describe(0, {buffer, 4, next, 0});
    EXPECT_EQ(pop_error(), QueueError::chain_too_long);
}

TEST_F(VirtqueueTest, AcceptsAChainAsLongAsTheQueueAndNotOneMore) {
    for (unsigned index = 0; index < 4; ++index) {
        const bool last = index == 3;
        driver.describe(index, {buffer, 4, last ? std::uint16_t{0} : next,
                                static_cast<std::uint16_t>(index + 1)});
    }
    driver.offer(0);
    EXPECT_EQ(make().pop().value()->readable.size(), 4U);

    driver.describe(0, {buffer, 5 * 16, indirect, 0});
    for (unsigned index = 0; index < 5; ++index) {
        const bool last = index == 4;
        driver.describe(buffer, index,
                        {buffer + 0x100, 4, last ? std::uint16_t{0} : next,
                         static_cast<std::uint16_t>(index + 1)});
    }
    EXPECT_EQ(pop_error(), QueueError::chain_too_long);
    driver.describe(buffer, 3, {buffer + 0x100, 4, 0, 0});
    EXPECT_EQ(make().pop().value()->readable.size(), 4U);
}

TEST_F(VirtqueueTest, RefusesBuffersOutsideMemory) {
    struct Range {
        std::uint64_t address;
        std::uint32_t length;
    };
    for (const auto& [address, length] :
         {Range{0, 1}, Range{TestDriver::base - 1, 2}, Range{end_of_ram - 1, 2},
          Range{end_of_ram, 1}, Range{~std::uint64_t{0}, 1}, Range{~std::uint64_t{0}, 0xffffffff},
          Range{buffer, 0xffffffff}, Range{buffer, 0x8000'0000}}) {
        for (const std::uint16_t flags : {std::uint16_t{0}, writable}) {
            driver.set_available(0);
            driver.describe(0, {address, length, flags, 0});
            driver.offer(0);
            EXPECT_EQ(pop_error(), QueueError::buffer_outside_memory) << address << " " << length;
        }
    }
}

TEST_F(VirtqueueTest, RefusesReadableAfterWritable) {
    driver.describe(0, {buffer, 4, static_cast<std::uint16_t>(next | writable), 1});
    driver.describe(1, {buffer, 4, 0, 0});
    driver.offer(0);
    EXPECT_EQ(pop_error(), QueueError::readable_after_writable);
}

TEST_F(VirtqueueTest, RefusesMalformedIndirectDescriptors) {
    driver.offer(0);
    driver.describe(buffer, 0, {buffer + 0x100, 4, 0, 0});
    driver.describe(0, {buffer, 16, indirect, 0});
    EXPECT_EQ(pop_error({.indirect = false, .event_index = false}), QueueError::bad_indirect);
    for (const std::uint32_t length : {0U, 1U, 15U, 17U, 24U}) {
        driver.describe(0, {buffer, length, indirect, 0});
        EXPECT_EQ(pop_error(), QueueError::bad_indirect) << length;
    }
    driver.describe(0, {buffer, 16, static_cast<std::uint16_t>(indirect | next), 1});
    EXPECT_EQ(pop_error(), QueueError::bad_indirect);
    driver.describe(0, {buffer, 16, indirect, 0});
    driver.describe(buffer, 0, {buffer, 16, indirect, 0}); // refers to itself
    EXPECT_EQ(pop_error(), QueueError::bad_indirect);
    driver.describe(0, {end_of_ram - 16, 32, indirect, 0});
    EXPECT_EQ(pop_error(), QueueError::buffer_outside_memory);
    driver.describe(0, {buffer, 16, indirect, 0});
    driver.describe(buffer, 0, {buffer, 4, next, 1}); // behind the table's end
    EXPECT_EQ(pop_error(), QueueError::index_out_of_range);
}

// Every combination of interesting field values in a chain of two: either it is refused, or every
// piece lies in guest memory. The sanitizers see any access that does not.
TEST_F(VirtqueueTest, EveryDescriptorIsEitherSafeOrRefused) {
    constexpr std::array<std::uint64_t, 7> addresses{
        0, TestDriver::base - 1, TestDriver::base, buffer, end_of_ram - 1, end_of_ram, ~0ULL};
    constexpr std::array<std::uint32_t, 7> lengths{0, 1, 16, 32, 0xc000, 0x1'0000, 0xffffffff};
    constexpr std::array<std::uint16_t, 5> links{0, 1, 3, 4, 0xffff};
    unsigned accepted = 0;
    for (const auto address : addresses) {
        for (const auto length : lengths) {
            for (std::uint16_t flags = 0; flags < 16; ++flags) {
                for (const auto link : links) {
                    driver.set_available(0);
                    driver.describe(0, {address, length, flags, link});
                    driver.describe(1, {address, length, static_cast<std::uint16_t>(flags ^ 1), 0});
                    driver.offer(0);
                    auto queue = make();
                    const auto popped = queue.pop();
                    if (!popped) {
                        continue;
                    }
                    ++accepted;
                    for (const auto& piece : (*popped)->writable) {
                        std::ranges::fill(piece, std::byte{0x5a});
                    }
                    ASSERT_LE((*popped)->readable.size() + (*popped)->writable.size(), 4U);
                }
            }
        }
    }
    EXPECT_GT(accepted, 0U);
}

// Random bytes in the rings and tables, as often as time allows.
TEST_F(VirtqueueTest, SurvivesRandomRings) {
    std::mt19937 random{1}; // NOLINT(cert-msc51-cpp): the same every time
    const auto random_descriptor = [&] {
        return vring_desc{buffer + random() % 0xd000, static_cast<std::uint32_t>(random() % 0x1000),
                          static_cast<std::uint16_t>(random() % 8),
                          static_cast<std::uint16_t>(random() % 5)};
    };
    for (unsigned round = 0; round < 20'000; ++round) {
        for (unsigned index = 0; index < 4; ++index) {
            driver.describe(index, random_descriptor());
            driver.describe(buffer + 0x10 * (random() % 0x800), 0, random_descriptor());
        }
        driver.set_available(0);
        driver.offer(static_cast<std::uint16_t>(random() % 5));
        auto queue = make();
        if (const auto popped = queue.pop(); popped && *popped) {
            for (const auto& piece : (*popped)->writable) {
                std::ranges::fill(piece, std::byte{0});
            }
            queue.push((*popped)->head, 0);
        }
    }
}

} // namespace
} // namespace vmm
