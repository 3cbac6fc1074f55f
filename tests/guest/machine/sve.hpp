// SPDX-License-Identifier: BSD-3-Clause
// SVE registers at the longest vector length: patterns in and out. Freely clobbers them, and
// V0-V31.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace test::sve {

/// Z registers, P registers of an eighth, FFR, as the assembly lays them out; of the longest
/// vectors.
using Area = std::array<std::byte, 256 * 32 + 256 / 8 * 17>;

/// CPACR_EL1.{FPEN,ZEN} and ZCR_EL1.LEN: everything the CPU has.
void enable();
/// SVE is UNDEFINED or trapped again.
void disable();
std::uint64_t vector_bytes();

// `area` is used on the way.
/// Fills Z0-Z31, P0-P15 and FFR with bytes made of `seed`, different in each register.
void fill(Area& area, std::uint64_t seed);
/// True if they hold what fill(seed) put there. They stay as they are.
bool holds(Area& area, std::uint64_t seed);
/// All of them ORed.
std::uint64_t any_bit(Area& area);

} // namespace test::sve
