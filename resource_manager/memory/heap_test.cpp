// SPDX-License-Identifier: BSD-3-Clause
// The heap: alignment, exhaustion, merging, misuse.
#include "memory/heap.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <random>
#include <vector>

namespace {

struct HeapTest : ::testing::Test {
    HeapTest() { heap.add(memory.data() + 3, memory.size() - 3); }
    alignas(16) std::array<std::byte, 64 * 1024> memory{};
    rm::Heap heap;
};

TEST_F(HeapTest, GivesAlignedMemoryThatDoesNotOverlap) {
    std::vector<unsigned char*> blocks;
    for (unsigned i = 0; i < 100; ++i) {
        auto* block = static_cast<unsigned char*>(heap.allocate(i));
        ASSERT_NE(block, nullptr);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % rm::Heap::alignment, 0U);
        std::memset(block, static_cast<int>(i), i);
        blocks.push_back(block);
    }
    for (unsigned i = 0; i < 100; ++i) {
        for (unsigned j = 0; j < i; ++j) {
            ASSERT_EQ(blocks[i][j], i);
        }
    }
}

TEST_F(HeapTest, IsWholeAgainAfterRandomUse) {
    std::mt19937 random(1);
    std::vector<void*> blocks;
    for (int round = 0; round < 20000; ++round) {
        if (random() % 2 == 0 || blocks.empty()) {
            void* block = heap.allocate(random() % 2000);
            if (block != nullptr) {
                blocks.push_back(block);
            }
        } else {
            const std::size_t victim = random() % blocks.size();
            heap.release(blocks[victim]);
            blocks[victim] = blocks.back();
            blocks.pop_back();
        }
    }
    for (void* block : blocks) {
        heap.release(block);
    }
    EXPECT_EQ(heap.used(), 0U);
    void* everything = heap.allocate(heap.total() - 16);
    EXPECT_NE(everything, nullptr) << "free blocks were not merged";
}

TEST_F(HeapTest, RefusesWhatDoesNotFit) {
    EXPECT_EQ(heap.allocate(heap.total()), nullptr);
    EXPECT_EQ(heap.allocate(~std::size_t{0}), nullptr);
    EXPECT_EQ(heap.used(), 0U);
}

TEST_F(HeapTest, DiesOfMisuse) {
    void* block = heap.allocate(100);
    heap.release(block);
    EXPECT_DEATH(heap.release(block), "double release");
    std::array<std::byte, 64> foreign{};
    EXPECT_DEATH(heap.release(foreign.data()), "foreign pointer");
    heap.release(nullptr);
}

} // namespace
