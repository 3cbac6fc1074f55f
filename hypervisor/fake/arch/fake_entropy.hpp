// SPDX-License-Identifier: BSD-3-Clause
// What the fake source of random numbers gives, again and again.
#pragma once

#include <cstdint>
#include <optional>

namespace hyp::fake {

/// Nothing: the machine has no such source.
std::optional<std::uint64_t>& entropy();

} // namespace hyp::fake
