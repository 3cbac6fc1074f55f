// SPDX-License-Identifier: BSD-3-Clause
// The byte operations at every combination of alignment, length and overlap that takes its own
// path.
#include <runtime/bytes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <vector>

namespace {

constexpr std::size_t arena_size = 160;
constexpr std::size_t longest = 70;
constexpr std::size_t offsets = 17;

using Arena = std::array<unsigned char, arena_size>;

Arena counting() {
    Arena arena;
    std::iota(arena.begin(), arena.end(), static_cast<unsigned char>(1));
    return arena;
}

TEST(Bytes, copy_changes_exactly_the_range) {
    for (std::size_t to = 0; to < offsets; ++to) {
        for (std::size_t from = 0; from < offsets; ++from) {
            for (std::size_t size = 0; size <= longest; ++size) {
                alignas(16) const Arena source = counting();
                alignas(16) Arena target{};
                rt::copy_bytes(target.data() + to, source.data() + from, size);
                Arena expected{};
                std::copy_n(source.begin() + static_cast<long>(from), size,
                            expected.begin() + static_cast<long>(to));
                ASSERT_EQ(target, expected) << to << ' ' << from << ' ' << size;
            }
        }
    }
}

TEST(Bytes, move_survives_any_overlap) {
    for (std::size_t to = 0; to < offsets; ++to) {
        for (std::size_t from = 0; from < offsets; ++from) {
            for (std::size_t size = 0; size <= longest; ++size) {
                alignas(16) Arena arena = counting();
                Arena expected = arena;
                std::memmove(expected.data() + to, expected.data() + from, size);
                rt::move_bytes(arena.data() + to, arena.data() + from, size);
                ASSERT_EQ(arena, expected) << to << ' ' << from << ' ' << size;
            }
        }
    }
}

TEST(Bytes, fill_changes_exactly_the_range) {
    for (std::size_t to = 0; to < offsets; ++to) {
        for (std::size_t size = 0; size <= longest; ++size) {
            alignas(16) Arena arena = counting();
            Arena expected = arena;
            std::fill_n(expected.begin() + static_cast<long>(to), size, 0xa5);
            rt::fill_bytes(arena.data() + to, 0xa5, size);
            ASSERT_EQ(arena, expected) << to << ' ' << size;
        }
    }
}

TEST(Bytes, compare_orders_as_unsigned_bytes) {
    EXPECT_EQ(rt::compare_bytes("abc", "abc", 3), 0);
    EXPECT_EQ(rt::compare_bytes("abc", "xyz", 0), 0);
    EXPECT_LT(rt::compare_bytes("abc", "abd", 3), 0);
    EXPECT_GT(rt::compare_bytes("\xff", "\x01", 1), 0);
}

TEST(Bytes, text_ends_at_its_first_nul) {
    for (std::size_t offset = 0; offset < offsets; ++offset) {
        for (std::size_t length = 0; length < longest; ++length) {
            for (const int filler : {0x01, 0x7f, 0x80, 0xff}) {
                alignas(8) Arena arena;
                arena.fill(static_cast<unsigned char>(filler));
                arena[offset + length] = 0;
                arena[offset + length + 1] = 1; // next to a NUL, what a borrow would hit
                EXPECT_EQ(rt::text_length(reinterpret_cast<const char*>(&arena[offset])), length);
            }
        }
    }
}

TEST(Bytes, find_gives_the_first_or_nothing) {
    const char* text = "hello";
    EXPECT_EQ(rt::find_byte(text, 'l', 5), text + 2);
    EXPECT_EQ(rt::find_byte(text, 'o', 4), nullptr);
    EXPECT_EQ(rt::find_byte(text, 'h', 0), nullptr);
}

} // namespace
