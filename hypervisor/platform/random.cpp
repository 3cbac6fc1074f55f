// SPDX-License-Identifier: BSD-3-Clause
// The generator's state and how seeds get into it.
#include "platform/random.hpp"

#include "platform/entropy.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace hyp {

namespace {

constexpr unsigned needed_bits = 256;
constexpr unsigned reseed_interval = 256; // outputs

// What a block is made for; never the same counter for two purposes.
constexpr std::uint32_t for_output = 0;
constexpr std::uint32_t for_mixing = 1;

using Words = std::array<std::uint32_t, 16>;

void quarter_round(Words& s, unsigned a, unsigned b, unsigned c, unsigned d) {
    s[a] += s[b];
    s[d] = std::rotl(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = std::rotl(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = std::rotl(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = std::rotl(s[b] ^ s[c], 7);
}

} // namespace

std::array<std::uint32_t, 16> chacha20_block(std::span<const std::uint32_t, 8> key,
                                             std::uint32_t counter) {
    Words start{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    std::copy(key.begin(), key.end(), start.begin() + 4);
    start[12] = counter;
    Words s = start;
    for (int round = 0; round < 10; ++round) {
        for (unsigned i = 0; i < 4; ++i) {
            quarter_round(s, i, 4 + i, 8 + i, 12 + i);
        }
        for (unsigned i = 0; i < 4; ++i) {
            quarter_round(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
        }
    }
    for (unsigned i = 0; i < s.size(); ++i) {
        s[i] += start[i];
    }
    return s;
}

/// Replaces the key; returns the other half of the block.
std::array<std::uint32_t, 8> RandomGenerator::advance(std::uint32_t purpose) {
    const Words block = chacha20_block(key_, purpose);
    std::array<std::uint32_t, 8> output{};
    std::copy_n(block.begin(), 8, key_.begin());
    std::copy_n(block.begin() + 8, 8, output.begin());
    return output;
}

void RandomGenerator::mix(std::span<const std::byte> seed) {
    while (!seed.empty()) {
        std::array<std::uint32_t, 8> piece{};
        const std::size_t size = std::min(seed.size(), sizeof(piece));
        std::memcpy(piece.data(), seed.data(), size);
        for (unsigned i = 0; i < key_.size(); ++i) {
            key_[i] ^= piece[i];
        }
        advance(for_mixing);
        seed = seed.subspan(size);
    }
}

void RandomGenerator::add(std::span<const std::byte> seed, unsigned secret_bits) {
    const LockGuard guard(lock_);
    mix(seed);
    secret_bits_ = std::min(needed_bits, secret_bits_ + secret_bits);
}

void RandomGenerator::reseed() {
    for (unsigned i = 0; i < needed_bits / 64; ++i) {
        const auto word = entropy_word();
        if (!word) {
            return; // what is there is still good
        }
        mix(std::as_bytes(std::span(&*word, 1)));
        secret_bits_ = std::min(needed_bits, secret_bits_ + 64);
    }
}

std::optional<std::array<std::uint64_t, 4>> RandomGenerator::generate() {
    const LockGuard guard(lock_);
    if (until_reseed_ == 0 || secret_bits_ < needed_bits) {
        reseed();
        until_reseed_ = reseed_interval;
    }
    if (secret_bits_ < needed_bits) {
        return std::nullopt;
    }
    --until_reseed_;
    return std::bit_cast<std::array<std::uint64_t, 4>>(advance(for_output));
}

RandomGenerator& random_generator() {
    static constinit RandomGenerator generator;
    return generator;
}

} // namespace hyp
