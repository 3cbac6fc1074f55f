// SPDX-License-Identifier: BSD-3-Clause
// FixedVector: order, removal, and its limit.
#include <runtime/fixed_vector.hpp>

#include <gtest/gtest.h>

namespace {

TEST(FixedVector, refuses_what_does_not_fit) {
    rt::FixedVector<int, 2> vector;
    EXPECT_TRUE(vector.empty());
    EXPECT_TRUE(vector.push_back(1));
    EXPECT_TRUE(vector.push_back(2));
    EXPECT_FALSE(vector.push_back(3));
    EXPECT_EQ(vector.size(), 2u);
    EXPECT_EQ(vector[1], 2);
}

TEST(FixedVector, erase_keeps_the_order) {
    rt::FixedVector<int, 4> vector;
    for (const int i : {1, 2, 3}) {
        ASSERT_TRUE(vector.push_back(i));
    }
    vector.erase(0);
    EXPECT_EQ(vector[0], 2);
    EXPECT_EQ(vector[1], 3);
    EXPECT_EQ(vector.size(), 2u);
}

TEST(FixedVectorDeathTest, an_index_beyond_the_end_panics) {
    rt::FixedVector<int, 4> vector;
    EXPECT_DEATH(vector[0] = 1, "beyond the end");
    EXPECT_DEATH(vector.erase(0), "beyond the end");
}

} // namespace
