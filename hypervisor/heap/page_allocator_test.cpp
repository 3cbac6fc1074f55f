// SPDX-License-Identifier: BSD-3-Clause
// Page allocator: alignment, exhaustion, coalescing, misuse.
#include "heap/page_allocator.hpp"

#include <arch/physmap.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

namespace hyp {
namespace {

constexpr PhysAddr odd_base = fake::ram_base + 0x6003000; // far from the pool of other tests

class PageAllocatorTest : public ::testing::Test {
protected:
    PageAllocator pages;
};

TEST_F(PageAllocatorTest, RefusesBadPools) {
    EXPECT_EQ(pages.set_pool(odd_base + 1, page_size).error(), rt::Error::argument_alignment);
    EXPECT_EQ(pages.set_pool(odd_base, page_size + 1).error(), rt::Error::argument_alignment);
    EXPECT_EQ(pages.set_pool(odd_base, page_size).error(), rt::Error::argument_size);
    EXPECT_EQ(pages.allocate(0), nullptr);
}

TEST_F(PageAllocatorTest, BlocksAreNaturallyAlignedAndDisjoint) {
    ASSERT_TRUE(pages.set_pool(odd_base, 1000 * page_size));
    std::set<std::uint64_t> taken;
    for (unsigned order = 0; order < 7; ++order) {
        void* block = pages.allocate(order);
        ASSERT_NE(block, nullptr);
        const PhysAddr address = virt_to_phys(block);
        EXPECT_TRUE(address.aligned_to(page_size << order));
        for (unsigned i = 0; i < 1U << order; ++i) {
            EXPECT_TRUE(taken.insert(address.value + i * page_size).second);
        }
    }
    EXPECT_EQ(pages.used_pages(), 127U);
}

TEST_F(PageAllocatorTest, GivesOutEveryPageAndJoinsThemAgain) {
    ASSERT_TRUE(pages.set_pool(odd_base, 600 * page_size));
    const std::uint64_t total = pages.total_pages();
    std::vector<void*> all;
    while (void* page = pages.allocate(0)) {
        std::memset(page, 0xa5, page_size);
        all.push_back(page);
    }
    EXPECT_EQ(all.size(), total);
    EXPECT_EQ(pages.allocate(0), nullptr);
    std::mt19937 random(7);
    std::shuffle(all.begin(), all.end(), random);
    for (void* page : all) {
        pages.release(page);
    }
    EXPECT_EQ(pages.used_pages(), 0U);
    EXPECT_NE(pages.allocate(8), nullptr); // 1 MiB fits again, so everything was joined
}

TEST_F(PageAllocatorTest, HasOnePool) {
    ASSERT_TRUE(pages.set_pool(odd_base, 4 * page_size));
    EXPECT_EQ(pages.set_pool(odd_base + 0x100000, 4 * page_size).error(), rt::Error::no_resources);
    EXPECT_EQ(pages.total_pages(), 3U);
}

TEST_F(PageAllocatorTest, ZeroedPagesAreZero) {
    ASSERT_TRUE(pages.set_pool(odd_base, 16 * page_size));
    auto* dirty = static_cast<unsigned char*>(pages.allocate(1));
    std::memset(dirty, 0xff, 2 * page_size);
    pages.release(dirty);
    auto* clean = static_cast<unsigned char*>(pages.allocate_zeroed(1));
    for (std::uint64_t i = 0; i < 2 * page_size; ++i) {
        ASSERT_EQ(clean[i], 0);
    }
}

TEST_F(PageAllocatorTest, OrderForRoundsUp) {
    EXPECT_EQ(PageAllocator::order_for(1), 0U);
    EXPECT_EQ(PageAllocator::order_for(4096), 0U);
    EXPECT_EQ(PageAllocator::order_for(4097), 1U);
    EXPECT_EQ(PageAllocator::order_for(3 * 4096), 2U);
    EXPECT_EQ(PageAllocator::order_for(std::uint64_t{1} << 30), 18U);
}

TEST_F(PageAllocatorTest, MisusePanics) {
    ASSERT_TRUE(pages.set_pool(odd_base, 16 * page_size));
    auto* block = static_cast<std::byte*>(pages.allocate(1));
    EXPECT_DEATH(pages.release(block + page_size), "free page");
    EXPECT_DEATH(pages.release(block + 1), "not from the pool");
    pages.release(block);
    EXPECT_DEATH(pages.release(block), "free page");
    EXPECT_DEATH(pages.release(phys_to_virt(odd_base + 0x100000)), "not from the pool");
}

TEST_F(PageAllocatorTest, RandomUseKeepsBlocksApart) {
    ASSERT_TRUE(pages.set_pool(odd_base, 300 * page_size));
    struct Block {
        unsigned char* start;
        std::uint64_t size;
        unsigned char mark;
    };
    std::vector<Block> live;
    std::mt19937 random(1);
    for (int step = 0; step < 5000; ++step) {
        if (live.empty() || random() % 2 == 0) {
            const unsigned order = random() % 5;
            auto* start = static_cast<unsigned char*>(pages.allocate(order));
            if (start != nullptr) {
                const auto mark = static_cast<unsigned char>(step);
                std::memset(start, mark, page_size << order);
                live.push_back({start, page_size << order, mark});
            }
        } else {
            std::swap(live[random() % live.size()], live.back());
            const Block block = live.back();
            live.pop_back();
            ASSERT_EQ(block.start[0], block.mark);
            ASSERT_EQ(block.start[block.size - 1], block.mark);
            pages.release(block.start);
        }
    }
    for (const Block& block : live) {
        pages.release(block.start);
    }
    EXPECT_EQ(pages.used_pages(), 0U);
}

} // namespace
} // namespace hyp
