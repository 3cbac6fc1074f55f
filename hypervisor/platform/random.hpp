// SPDX-License-Identifier: BSD-3-Clause
// Random numbers for VMs: a generator built on ChaCha20, seeded by the machine's own entropy.
#pragma once

#include "heap/names.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hyp {

/// One block of ChaCha20 (RFC 8439, 2.3) with an all-zero nonce, as little-endian words.
std::array<std::uint32_t, 16> chacha20_block(std::span<const std::uint32_t, 8> key,
                                             std::uint32_t counter);

/// Fast key erasure: each block gives the next key first and output second, so that who learns the
/// state learns nothing of earlier output. Any CPU may call; the lock is a leaf, except that the
/// firmware may be called under it.
///
/// Invariant: no output before 256 bits of seed came from a source that nobody else was given.
class RandomGenerator {
public:
    /// Mixes a seed in; whatever it is, the state gets no worse. `secret_bits` is what it counts.
    void add(std::span<const std::byte> seed, unsigned secret_bits) RT_EXCLUDES(lock_);
    /// 256 bits; nothing as long as there is no seed. Asks the machine for a new seed from time to
    /// time, and for the first one.
    std::optional<std::array<std::uint64_t, 4>> generate() RT_EXCLUDES(lock_);

private:
    void mix(std::span<const std::byte> seed) RT_REQUIRES(lock_);
    std::array<std::uint32_t, 8> advance(std::uint32_t purpose) RT_REQUIRES(lock_);
    void reseed() RT_REQUIRES(lock_);

    Spinlock lock_;
    std::array<std::uint32_t, 8> key_ RT_GUARDED_BY(lock_){};
    unsigned secret_bits_ RT_GUARDED_BY(lock_) = 0;
    unsigned until_reseed_ RT_GUARDED_BY(lock_) = 0;
};

RandomGenerator& random_generator();

} // namespace hyp
