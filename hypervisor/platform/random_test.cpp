// SPDX-License-Identifier: BSD-3-Clause
// The random generator: the cipher against its standard, seeding, and refusal without a seed.
#include "platform/random.hpp"

#include <arch/fake_entropy.hpp>
#include <gtest/gtest.h>

#include <set>

namespace hyp {

namespace {

TEST(Random, BlockIsChaCha20) {
    // RFC 8439, A.1: test vectors 1 and 2 (zero key, counters 0 and 1).
    const std::array<std::uint32_t, 8> key{};
    EXPECT_EQ(chacha20_block(key, 0)[0], 0xade0b876U);
    EXPECT_EQ(chacha20_block(key, 0)[15], 0x8665eeb2U);
    EXPECT_EQ(chacha20_block(key, 1)[0], 0xbee7079fU);
    EXPECT_EQ(chacha20_block(key, 1)[15], 0x6f4d794bU);
}

TEST(Random, NothingWithoutEnoughSecret) {
    fake::entropy() = std::nullopt;
    RandomGenerator generator;
    EXPECT_FALSE(generator.generate());
    const std::array<std::byte, 8> little{};
    generator.add(little, 64);
    EXPECT_FALSE(generator.generate());
    generator.add(little, 192);
    EXPECT_TRUE(generator.generate());
}

TEST(Random, SeedsDecideTheOutputAndItNeverRepeats) {
    fake::entropy() = std::nullopt;
    const std::array<std::byte, 40> seed{std::byte{1}};
    std::array<std::byte, 40> other = seed;
    other[39] = std::byte{1};
    RandomGenerator a;
    RandomGenerator b;
    a.add(seed, 256);
    b.add(other, 256);
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 100; ++i) {
        for (auto* generator : {&a, &b}) {
            const auto values = generator->generate();
            ASSERT_TRUE(values);
            seen.insert(values->begin(), values->end());
        }
    }
    EXPECT_EQ(seen.size(), 800U);
}

TEST(Random, TheMachinesEntropySeedsAndReseeds) {
    fake::entropy() = 7;
    RandomGenerator a;
    RandomGenerator b;
    for (int i = 0; i < 256; ++i) {
        EXPECT_EQ(a.generate(), b.generate());
    }
    fake::entropy() = 8;
    const auto from_a = a.generate();
    fake::entropy() = 9;
    EXPECT_NE(from_a, b.generate());
}

} // namespace
} // namespace hyp
