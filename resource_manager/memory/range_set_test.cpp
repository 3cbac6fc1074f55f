// SPDX-License-Identifier: BSD-3-Clause
// Sets of ranges against a set of numbers, and the search for free space.
#include "memory/range_set.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace {

using rm::Range;

std::set<std::uint64_t> numbers(const rm::RangeSet& set) {
    std::set<std::uint64_t> all;
    for (const Range& range : set.ranges()) {
        for (std::uint64_t i = range.base; i < range.end(); ++i) {
            all.insert(i);
        }
    }
    return all;
}

TEST(RangeSet, BehavesLikeASetOfNumbers) {
    std::mt19937 random(7);
    for (int round = 0; round < 200; ++round) {
        rm::RangeSet set;
        std::set<std::uint64_t> expected;
        for (int step = 0; step < 30; ++step) {
            const Range range{random() % 100, random() % 12};
            if (random() % 3 != 0) {
                ASSERT_TRUE(set.add(range));
                for (std::uint64_t i = range.base; i < range.end(); ++i) {
                    expected.insert(i);
                }
            } else {
                ASSERT_TRUE(set.remove(range));
                for (std::uint64_t i = range.base; i < range.end(); ++i) {
                    expected.erase(i);
                }
            }
            ASSERT_EQ(numbers(set), expected);
            std::uint64_t last = 0;
            for (const Range& part : set.ranges()) {
                ASSERT_TRUE(part.base > last || last == 0) << "not ascending or touching";
                ASSERT_NE(part.size, 0U);
                last = part.end();
            }
        }
    }
}

TEST(RangeSet, IgnoresWrappingRanges) {
    rm::RangeSet set;
    ASSERT_TRUE(set.add({~std::uint64_t{0} - 5, 10}));
    EXPECT_TRUE(set.ranges().empty());
}

TEST(RangeSet, FindsFreeSpace) {
    rm::RangeSet occupied;
    ASSERT_TRUE(occupied.add({0x1000, 0x800}));
    ASSERT_TRUE(occupied.add({0x2000, 0x1000}));
    const Range spaces[] = {{0x1000, 0x2000}, {0x8000, 0x4000}};
    EXPECT_EQ(rm::find_free(spaces, occupied, 0x400, 0x400), (Range{0x1800, 0x400}));
    EXPECT_EQ(rm::find_free(spaces, occupied, 0x1000, 0x1000), (Range{0x8000, 0x1000}));
    EXPECT_EQ(rm::find_free(spaces, occupied, 0x8000, 0x1000).size, 0U);
}

} // namespace
