// SPDX-License-Identifier: BSD-3-Clause
// EL2's table builder on the host: what it maps, by what blocks, and what it refuses.
#include "arm64/el2_tables.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>

namespace hyp::arch {
namespace {

constexpr std::uint64_t first_table = 0x1000;
constexpr std::uint64_t kib4 = 0x1000;
constexpr std::uint64_t mib2 = 0x20'0000;
constexpr std::uint64_t gib1 = 0x4000'0000;

using Table = std::array<std::uint64_t, 512>;
std::map<std::uint64_t, std::unique_ptr<Table>> tables;
std::size_t tables_left;

std::uint64_t allocate() {
    if (tables_left == 0) {
        return 0;
    }
    --tables_left;
    const std::uint64_t address = first_table + tables.size() * kib4;
    tables[address] = std::make_unique<Table>();
    return address;
}

std::uint64_t* pointer(std::uint64_t physical) {
    return tables.at(physical)->data();
}

struct Leaf {
    std::uint64_t physical;
    std::uint64_t size;
    bool writable, executable, device, guarded;
};

/// An independent walk, by the letter of Arm ARM D8.3.
std::optional<Leaf> walk(std::uint64_t root, std::uint64_t va) {
    std::uint64_t table = root;
    for (int level = 0; level <= 3; ++level) {
        const int shift = 39 - 9 * level;
        const std::uint64_t entry = (*tables.at(table))[(va >> shift) & 0x1ff];
        if ((entry & 1) == 0) {
            return std::nullopt;
        }
        const bool leaf = level == 3 || (entry & 2) == 0;
        if (leaf) {
            EXPECT_NE(level, 0);
            EXPECT_TRUE(level != 3 || (entry & 2) != 0);
            EXPECT_NE(entry & (1u << 10), 0u) << "access flag";
            const std::uint64_t size = std::uint64_t{1} << shift;
            return Leaf{(entry & 0xffff'ffff'f000) | (va & (size - 1)),
                        size,
                        (entry & (1u << 7)) == 0,
                        (entry >> 54 & 1) == 0,
                        (entry & 0x1c) == 4,
                        (entry >> 50 & 1) != 0};
        }
        table = entry & 0xffff'ffff'f000;
    }
    return std::nullopt;
}

class El2Tables : public ::testing::Test {
protected:
    El2Tables() {
        tables.clear();
        tables_left = 20;
        root = allocate();
    }
    bool map(std::uint64_t va, std::uint64_t pa, std::uint64_t size,
             El2Memory memory = El2Memory::data) const {
        return el2_map({allocate, pointer, guarded}, root, va, pa, size, memory);
    }
    std::uint64_t root;
    bool guarded = false;
};

TEST_F(El2Tables, uses_the_largest_blocks_that_fit) {
    ASSERT_TRUE(map(0x8000'3fff'f000, 0x3fff'f000, kib4 + gib1 + mib2 + kib4));
    EXPECT_EQ(walk(root, 0x8000'3fff'f000)->size, kib4);
    EXPECT_EQ(walk(root, 0x8000'4000'0000)->size, gib1);
    EXPECT_EQ(walk(root, 0x8000'8000'0000)->size, mib2);
    EXPECT_EQ(walk(root, 0x8000'8020'0000)->size, kib4);
    EXPECT_FALSE(walk(root, 0x8000'8020'1000));
    EXPECT_FALSE(walk(root, 0x8000'3fff'e000));
    EXPECT_EQ(walk(root, 0x8000'7654'3210)->physical, 0x7654'3210u);
}

TEST_F(El2Tables, different_offsets_of_va_and_pa_need_small_pages) {
    ASSERT_TRUE(map(0x4000'0000'0000, 0x4020'1000, mib2));
    EXPECT_EQ(walk(root, 0x4000'0000'0000)->size, kib4);
    EXPECT_EQ(walk(root, 0x4000'001f'f123)->physical, 0x4040'0123u);
}

TEST_F(El2Tables, nothing_is_writable_and_executable) {
    const std::array kinds{El2Memory::text, El2Memory::rodata, El2Memory::data, El2Memory::device};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        ASSERT_TRUE(map(i * kib4, i * kib4, kib4, kinds[i]));
    }
    const auto leaf = [&](std::uint64_t page) { return *walk(root, page * kib4); };
    EXPECT_TRUE(leaf(0).executable && !leaf(0).writable && !leaf(0).device);
    EXPECT_TRUE(!leaf(1).executable && !leaf(1).writable && !leaf(1).device);
    EXPECT_TRUE(!leaf(2).executable && leaf(2).writable && !leaf(2).device);
    EXPECT_TRUE(!leaf(3).executable && leaf(3).writable && leaf(3).device);
}

TEST_F(El2Tables, only_text_is_guarded_and_only_where_the_cpu_can) {
    ASSERT_TRUE(map(0, 0, kib4, El2Memory::text));
    guarded = true;
    ASSERT_TRUE(map(kib4, 0, kib4, El2Memory::text));
    ASSERT_TRUE(map(2 * kib4, 0, kib4, El2Memory::rodata));
    EXPECT_FALSE(walk(root, 0)->guarded);
    EXPECT_TRUE(walk(root, kib4)->guarded);
    EXPECT_FALSE(walk(root, 2 * kib4)->guarded);
}

TEST_F(El2Tables, refuses_to_map_twice) {
    ASSERT_TRUE(map(mib2, mib2, mib2));
    EXPECT_FALSE(map(mib2, mib2, mib2));
    EXPECT_FALSE(map(mib2 + kib4, 0, kib4)) << "inside a block";
    ASSERT_TRUE(map(4 * mib2, 0, kib4));
    EXPECT_FALSE(map(4 * mib2, 4 * mib2, mib2)) << "over a table";
}

TEST_F(El2Tables, refuses_what_is_not_page_aligned) {
    EXPECT_FALSE(map(0x800, 0, kib4));
    EXPECT_FALSE(map(0, 0x800, kib4));
}

TEST_F(El2Tables, says_when_tables_run_out) {
    tables_left = 2;
    EXPECT_FALSE(map(0, 0, kib4));
}

} // namespace
} // namespace hyp::arch
