// SPDX-License-Identifier: BSD-3-Clause
// RM's own translation tables: one to one, nothing both writable and executable.
#pragma once

#include <cstdint>

namespace rm {

/// Builds the tables and turns MMU and caches on. `memory_size`: bytes of RM's memory. Call once,
/// before anything that needs unaligned accesses or atomics.
void enable_stage1(std::uint64_t memory_size);

} // namespace rm
