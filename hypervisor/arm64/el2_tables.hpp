// SPDX-License-Identifier: BSD-3-Clause
// EL2's own stage-1 translation tables: 4 KiB granule, 48-bit addresses, four levels.
#pragma once

#include <cstdint>

namespace hyp::arch {

/// What a mapping is for; there is none that is writable and executable.
enum class El2Memory { text, rodata, data, device };

/// Where table pages come from and how they are seen; differs before and after the MMU is on.
struct TableSource {
    /// Physical address of a zeroed page, or 0 if there is none left.
    std::uint64_t (*allocate)();
    /// Pointer to a table by its physical address.
    std::uint64_t* (*pointer)(std::uint64_t physical);
    /// FEAT_BTI: in text, indirect branches reach only what the compiler marked for them.
    bool guarded;
};

/// Adds [va, va + size) -> [pa, …) to the tables at `root`, all page-aligned, by the largest blocks
/// that fit. Only adds: false if something is mapped there already or table pages ran out.
/// Does not publish the new entries.
bool el2_map(const TableSource& source, std::uint64_t root, std::uint64_t va, std::uint64_t pa,
             std::uint64_t size, El2Memory memory);

} // namespace hyp::arch
