// SPDX-License-Identifier: BSD-3-Clause
// Heap: sizes, alignment, empty slabs return to the pool, misuse.
#include "heap/heap.hpp"

#include "fake/test_machine.hpp"

#include <cstring>
#include <random>
#include <vector>

namespace hyp {
namespace {

class HeapTest : public fake::TestMachine {};

TEST_F(HeapTest, EverySizeIsUsableAndAligned) {
    for (std::size_t size : {1, 31, 32, 33, 64, 100, 640, 641, 1984, 1985, 4096, 5000, 70000}) {
        for (std::size_t alignment : {1, 16, 32, 64, 128, 4096}) {
            void* cell = heap().allocate(size, alignment);
            ASSERT_NE(cell, nullptr);
            EXPECT_TRUE(is_aligned(reinterpret_cast<std::uintptr_t>(cell), alignment));
            std::memset(cell, 0x5a, size);
            heap().release(cell);
        }
    }
}

TEST_F(HeapTest, SlabsComeAndGoWithUse) {
    const auto before = page_allocator().used_pages();
    std::vector<void*> cells;
    for (int i = 0; i < 126; ++i) {
        cells.push_back(heap().allocate(32));
    }
    EXPECT_EQ(page_allocator().used_pages(), before + 1);
    cells.push_back(heap().allocate(32));
    EXPECT_EQ(page_allocator().used_pages(), before + 2);
    for (void* cell : cells) {
        heap().release(cell);
    }
    EXPECT_EQ(page_allocator().used_pages(), before);
}

TEST_F(HeapTest, CreateRunsConstructorAndDestructor) {
    struct Counted {
        explicit Counted(int& live) : live_(live) { ++live_; }
        ~Counted() { --live_; }
        int& live_;
    };
    int live = 0;
    Counted* item = heap().create<Counted>(live);
    ASSERT_NE(item, nullptr);
    EXPECT_EQ(live, 1);
    heap().destroy(item);
    EXPECT_EQ(live, 0);
    heap().destroy<Counted>(nullptr);
    heap().release(nullptr);
}

TEST_F(HeapTest, ExhaustionIsNullNotPanic) {
    std::vector<void*> blocks;
    while (void* block = heap().allocate(page_size << 8)) {
        blocks.push_back(block);
    }
    while (void* block = heap().allocate(page_size)) {
        blocks.push_back(block);
    }
    EXPECT_EQ(heap().allocate(40), nullptr);
    for (void* block : blocks) {
        heap().release(block);
    }
}

TEST_F(HeapTest, MisusePanics) {
    auto* first = static_cast<std::byte*>(heap().allocate(64));
    void* second = heap().allocate(64);
    EXPECT_DEATH(heap().release(first + 32), "free heap cell");
    heap().release(first);
    EXPECT_DEATH(heap().release(first), "free heap cell");
    heap().release(second);
}

#if defined(__clang__) && __has_feature(address_sanitizer)
TEST_F(HeapTest, UseAfterReleaseIsSeenBySanitizer) {
    auto* keeps_slab = heap().allocate(64);
    auto* cell = static_cast<volatile char*>(heap().allocate(64));
    heap().release(const_cast<char*>(cell));
    EXPECT_DEATH(cell[0] = 1, "use-after-poison");
    heap().release(keeps_slab);
}
#endif

TEST_F(HeapTest, RandomUseKeepsCellsApart) {
    struct Cell {
        unsigned char* start;
        std::size_t size;
        unsigned char mark;
    };
    std::vector<Cell> live;
    std::mt19937 random(3);
    for (int step = 0; step < 20000; ++step) {
        if (live.size() < 300 && (live.empty() || random() % 5 < 3)) {
            const std::size_t size = 1 + random() % (random() % 10 == 0 ? 9000 : 700);
            auto* start = static_cast<unsigned char*>(heap().allocate(size));
            ASSERT_NE(start, nullptr);
            const auto mark = static_cast<unsigned char>(step);
            std::memset(start, mark, size);
            live.push_back({start, size, mark});
        } else {
            std::swap(live[random() % live.size()], live.back());
            const Cell cell = live.back();
            live.pop_back();
            for (std::size_t i = 0; i < cell.size; ++i) {
                ASSERT_EQ(cell.start[i], cell.mark);
            }
            heap().release(cell.start);
        }
    }
    for (const Cell& cell : live) {
        heap().release(cell.start);
    }
}

} // namespace
} // namespace hyp
