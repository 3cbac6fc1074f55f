// SPDX-License-Identifier: BSD-3-Clause
// One change of stage-2 tables: plan it, reserve the tables it may need, then do it.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"
#include "memory/stage2.hpp"
#include "memory/stage2_entry.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace hyp {

/// Steps through the entries of one table that a range touches.
class Slots {
public:
    /// `range` lies within what the table covers.
    Slots(unsigned level, IpaRange range);

    [[nodiscard]] bool more() const { return at_ < end_; }
    void next() { at_ = part_end(); }
    [[nodiscard]] std::size_t index() const;
    /// The part of the range under this entry.
    [[nodiscard]] IpaRange part() const { return {{at_}, part_end() - at_}; }
    /// The range covers all that this entry does.
    [[nodiscard]] bool whole() const { return part_end() - at_ == stage2::entry_size(level_); }
    /// The first address that this entry translates.
    [[nodiscard]] Ipa entry_base() const { return {align_down(at_, stage2::entry_size(level_))}; }

private:
    [[nodiscard]] std::uint64_t part_end() const {
        return std::min(end_, entry_base().value + stage2::entry_size(level_));
    }

    unsigned level_;
    std::uint64_t at_;
    std::uint64_t end_;
};

/// The owner of the tables holds its lock during the life of a change. Reserved tables that were
/// not needed go back to the pool with the destructor.
class Stage2Change {
public:
    explicit Stage2Change(Stage2& tables) : tables_(tables) {}
    Stage2Change(const Stage2Change&) = delete;
    Stage2Change& operator=(const Stage2Change&) = delete;
    ~Stage2Change();

    /// Counts tables for a map(). Error: existing_mapping.
    Result<> plan_map(const Stage2::Run& run);
    /// Counts tables for an unmap() or protect(), which may have to split blocks.
    void plan_cut(IpaRange range);
    /// Error: no_memory; then nothing is reserved.
    Result<> reserve();

    void map(const Stage2::Run& run, stage2::Entry attributes);
    void unmap(IpaRange range, Stage2::LeafVisitor& removed);
    void protect(IpaRange range, Access kernel, Access user);

    /// Geometry: where walks start, and the entry for an address in a table of a level.
    static unsigned start_level() { return Stage2::ipa_bits() > 43 ? 0 : 1; }
    static std::size_t index(unsigned level, std::uint64_t ipa) {
        const std::uint64_t number = ipa >> stage2::entry_shift(level);
        // The tables of the first level are concatenated (D8.2.2): all bits count.
        return level == start_level() ? number : number % stage2::entries_per_table;
    }

private:
    using Entry = stage2::Entry;

    Result<> plan_map_in(const Entry* table, unsigned level, IpaRange range, PhysAddr phys);
    void plan_cut_in(const Entry* table, unsigned level, IpaRange range);
    static std::size_t split_cost(unsigned level, IpaRange range);

    void map_in(Entry* table, unsigned level, IpaRange range, PhysAddr phys, Entry attributes);
    bool kill_in(Entry* table, unsigned level, IpaRange range);
    void bury_in(Entry* table, unsigned level, IpaRange range, Stage2::LeafVisitor& removed);
    bool protect_in(Entry* table, unsigned level, IpaRange range, Access kernel, Access user);

    void split(Entry& entry, unsigned level, Ipa base);
    void join_if_uniform(Entry& entry, unsigned level, Ipa base);
    Entry* take_table();
    void free_table(Entry* table);

    Stage2& tables_;
    std::size_t needed_ = 0;
    Entry* reserved_ = nullptr; // linked by their first entries
};

} // namespace hyp
