// SPDX-License-Identifier: BSD-3-Clause
// Random numbers from the machine.
#pragma once

#include <cstdint>
#include <optional>

namespace hyp {

/// 64 random bits from the CPU (RNDR) or the firmware (TRNG, Arm DEN0098); nothing when the machine
/// has neither. Never made from a counter.
std::optional<std::uint64_t> entropy_word();

} // namespace hyp
