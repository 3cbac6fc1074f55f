// SPDX-License-Identifier: BSD-3-Clause
// The bits of a stage-2 descriptor (Arm ARM D8.3) and the geometry of the table levels.
#pragma once

#include "heap/address.hpp"
#include "memory/memory_attributes.hpp"

#include <arch/physmap.hpp>
#include <arch/tlb.hpp>

#include <algorithm>
#include <cstdint>

namespace hyp::stage2 {

using Entry = std::uint64_t;

constexpr unsigned last_level = 3;
constexpr unsigned entries_per_table = 512;

/// Bytes that one entry of a level covers: 512 GiB, 1 GiB, 2 MiB, 4 KiB. There is no level beyond
/// the last; clamped, so that no caller's mistake becomes an undefined shift.
constexpr unsigned entry_shift(unsigned level) {
    return page_shift + 9 * (last_level - std::min(level, last_level));
}
constexpr std::uint64_t entry_size(unsigned level) {
    return std::uint64_t{1} << entry_shift(level);
}

constexpr Entry valid_bit = 1;
constexpr Entry table_bit = 2; // levels 0-2: a table, not a block; level 3: always set
constexpr Entry address_mask = 0x0000fffffffff000;

// An entry is empty (zero), live (valid bit set), or dead: what it says was unmapped, but the TLBs
// are not yet clean. A dead entry differs from the live one by its valid bit alone.
constexpr bool is_empty(Entry entry) {
    return entry == 0;
}
constexpr bool is_live(Entry entry) {
    return (entry & valid_bit) != 0;
}
constexpr bool is_dead(Entry entry) {
    return entry != 0 && !is_live(entry);
}
/// For entries that are not empty.
constexpr bool is_table(Entry entry, unsigned level) {
    return level < last_level && (entry & table_bit) != 0;
}
constexpr PhysAddr address_of(Entry entry) {
    return {entry & address_mask};
}
inline Entry* table_of(Entry entry) {
    return static_cast<Entry*>(phys_to_virt(address_of(entry)));
}

/// Level 0 has no blocks with a 4 KiB granule.
constexpr bool level_has_leaves(unsigned level) {
    return level > 0;
}

/// Everything of a leaf entry but address and type bits.
constexpr Entry attribute_mask = ~(address_mask | valid_bit | table_bit);
Entry encode_attributes(const MapAttributes& attributes);
MapAttributes decode_attributes(Entry entry);

constexpr Entry leaf_entry(unsigned level, PhysAddr phys, Entry attributes) {
    return attributes | phys.value | valid_bit | (level == last_level ? table_bit : 0);
}
inline Entry table_entry(const Entry* table) {
    return virt_to_phys(table).value | valid_bit | table_bit;
}

/// Table walkers of other CPUs read entries at any time: one store, after everything it points to.
inline void write_entry(Entry& entry, Entry value) {
    check_stage2_write(entry, value);
    __atomic_store_n(&entry, value, __ATOMIC_RELEASE);
}

} // namespace hyp::stage2
