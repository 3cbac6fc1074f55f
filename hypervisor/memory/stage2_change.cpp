// SPDX-License-Identifier: BSD-3-Clause
// Changing live stage-2 tables: mapping, break-before-make splits and joins, two-step unmapping.
#include "memory/stage2_change.hpp"

#include "heap/page_allocator.hpp"

#include <arch/tlb.hpp>
#include <runtime/panic.hpp>

namespace hyp {

using namespace stage2;

namespace {

/// May a run that covers this entry's part be mapped by a leaf right here?
bool fits_leaf(unsigned level, const Slots& slots, PhysAddr phys) {
    return level_has_leaves(level) && slots.whole() && phys.aligned_to(entry_size(level));
}

bool has_live_entry(const Entry* table) {
    return std::any_of(table, table + entries_per_table, is_live);
}

} // namespace

Slots::Slots(unsigned level, IpaRange range)
    : level_(level), at_(range.base.value), end_(range.end().value) {}

std::size_t Slots::index() const {
    return Stage2Change::index(level_, at_);
}

Stage2Change::~Stage2Change() {
    while (reserved_ != nullptr) {
        page_allocator().release(take_table());
        tables_.refund(1);
    }
}

// Planning.

Result<> Stage2Change::plan_map(const Stage2::Run& run) {
    return plan_map_in(tables_.root_, start_level(), {run.ipa, run.phys.size}, run.phys.base);
}

/// `table` is nullptr where there is none yet.
Result<> Stage2Change::plan_map_in(const Entry* table, unsigned level, IpaRange range,
                                   PhysAddr phys) {
    if (table == nullptr && level == last_level) {
        return {};
    }
    for (Slots slots(level, range); slots.more(); slots.next()) {
        const Entry entry = table == nullptr ? 0 : table[slots.index()];
        const PhysAddr part_phys = phys + (slots.part().base - range.base);
        RT_FAIL_IF(is_live(entry) && !is_table(entry, level), Error::existing_mapping);
        if (!is_live(entry) && fits_leaf(level, slots, part_phys)) {
            continue;
        }
        needed_ += is_live(entry) ? 0 : 1;
        const Entry* child = is_live(entry) ? table_of(entry) : nullptr;
        RT_TRY(plan_map_in(child, level + 1, slots.part(), part_phys));
    }
    return {};
}

void Stage2Change::plan_cut(IpaRange range) {
    plan_cut_in(tables_.root_, start_level(), range);
}

/// Only entries that the range covers in part matter: the first and the last of each table.
void Stage2Change::plan_cut_in(const Entry* table, unsigned level, IpaRange range) {
    for (Slots slots(level, range); slots.more(); slots.next()) {
        const Entry entry = table[slots.index()];
        if (slots.whole() || !is_live(entry)) {
            continue;
        }
        if (is_table(entry, level)) {
            plan_cut_in(table_of(entry), level + 1, slots.part());
        } else {
            needed_ += split_cost(level, slots.part());
        }
    }
}

/// Tables it takes to cut `range` out of one leaf entry.
std::size_t Stage2Change::split_cost(unsigned level, IpaRange range) {
    std::size_t cost = 1;
    for (Slots slots(level + 1, range); slots.more(); slots.next()) {
        cost += slots.whole() ? 0 : split_cost(level + 1, slots.part());
    }
    return cost;
}

Result<> Stage2Change::reserve() {
    for (; needed_ > 0; --needed_) {
        RT_FAIL_IF(!tables_.charge(1), Error::no_memory);
        auto* table = static_cast<Entry*>(page_allocator().allocate_zeroed(0));
        if (table == nullptr) {
            tables_.refund(1);
            return fail(Error::no_memory);
        }
        table[0] = reserved_ == nullptr ? 0 : virt_to_phys(reserved_).value;
        reserved_ = table;
    }
    return {};
}

/// A reserved table, all entries empty.
Entry* Stage2Change::take_table() {
    rt::ensure(reserved_ != nullptr, "a change of stage 2 needs more tables than planned");
    Entry* table = reserved_;
    reserved_ = table[0] == 0 ? nullptr : table_of(table[0]);
    table[0] = 0;
    return table;
}

void Stage2Change::free_table(Entry* table) {
    page_allocator().release(table);
    tables_.refund(1);
    tables_.count_tables(-1);
}

// Mapping.

void Stage2Change::map(const Stage2::Run& run, Entry attributes) {
    map_in(tables_.root_, start_level(), {run.ipa, run.phys.size}, run.phys.base, attributes);
}

void Stage2Change::map_in(Entry* table, unsigned level, IpaRange range, PhysAddr phys,
                          Entry attributes) {
    // The last level always has a leaf that fits, and nothing live where a mapping is made.
    rt::ensure(level <= last_level, "stage-2 tables have four levels");
    for (Slots slots(level, range); slots.more(); slots.next()) {
        Entry& entry = table[slots.index()];
        const PhysAddr part_phys = phys + (slots.part().base - range.base);
        if (is_live(entry)) {
            map_in(table_of(entry), level + 1, slots.part(), part_phys, attributes);
            join_if_uniform(entry, level, slots.entry_base());
        } else if (fits_leaf(level, slots, part_phys)) {
            write_entry(entry, leaf_entry(level, part_phys, attributes));
        } else {
            Entry* child = take_table();
            tables_.count_tables(1);
            map_in(child, level + 1, slots.part(), part_phys, attributes);
            write_entry(entry, table_entry(child));
        }
    }
}

/// A table whose entries are one contiguous block with the same attributes becomes that block.
void Stage2Change::join_if_uniform(Entry& entry, unsigned level, Ipa base) {
    Entry* child = table_of(entry);
    const Entry first = child[0];
    const bool starts_block = level_has_leaves(level) && is_live(first) &&
                              !is_table(first, level + 1) &&
                              address_of(first).aligned_to(entry_size(level));
    if (!starts_block) {
        return;
    }
    const std::uint64_t step = entry_size(level + 1);
    for (unsigned i = entries_per_table - 1; i > 0; --i) { // the end first: it fails soonest
        if (child[i] != first + i * step) {
            return;
        }
    }
    if (!tables_.may_join_({address_of(first), entry_size(level)})) {
        return;
    }
    write_entry(entry, 0);
    stage2_invalidate_range(tables_.vttbr_, base, entry_size(level));
    write_entry(entry, leaf_entry(level, address_of(first), first & attribute_mask));
    stage2_publish();
    free_table(child);
}

/// A block becomes a table that maps the same.
void Stage2Change::split(Entry& entry, unsigned level, Ipa base) {
    Entry* child = take_table();
    tables_.count_tables(1);
    for (unsigned i = 0; i < entries_per_table; ++i) {
        child[i] = leaf_entry(level + 1, address_of(entry) + i * entry_size(level + 1),
                              entry & attribute_mask);
    }
    write_entry(entry, 0);
    stage2_invalidate_range(tables_.vttbr_, base, entry_size(level));
    write_entry(entry, table_entry(child));
    stage2_publish();
}

// Unmapping: make entries dead, clean the TLBs, then bury the dead. Only then may anyone else have
// the memory or the tables.

void Stage2Change::unmap(IpaRange range, Stage2::LeafVisitor& removed) {
    if (kill_in(tables_.root_, start_level(), range)) {
        stage2_invalidate_range(tables_.vttbr_, range.base, range.size);
        bury_in(tables_.root_, start_level(), range, removed);
    }
}

/// True if it killed anything.
bool Stage2Change::kill_in(Entry* table, unsigned level, IpaRange range) {
    bool killed = false;
    for (Slots slots(level, range); slots.more(); slots.next()) {
        Entry& entry = table[slots.index()];
        if (!is_live(entry)) {
            continue;
        }
        if (!is_table(entry, level) && !slots.whole()) {
            split(entry, level, slots.entry_base());
        }
        if (is_table(entry, level)) {
            killed |= kill_in(table_of(entry), level + 1, slots.part());
        }
        if (!is_table(entry, level) || !has_live_entry(table_of(entry))) {
            write_entry(entry, entry & ~valid_bit);
            killed = true;
        }
    }
    return killed;
}

void Stage2Change::bury_in(Entry* table, unsigned level, IpaRange range,
                           Stage2::LeafVisitor& removed) {
    for (Slots slots(level, range); slots.more(); slots.next()) {
        Entry& entry = table[slots.index()];
        if (is_empty(entry)) {
            continue;
        }
        if (is_table(entry, level)) {
            bury_in(table_of(entry), level + 1, slots.part(), removed);
        } else if (is_dead(entry)) {
            static_cast<void>(removed.visit({slots.entry_base(), address_of(entry),
                                             entry_size(level), decode_attributes(entry)}));
        }
        if (is_dead(entry)) {
            Entry* child = is_table(entry, level) ? table_of(entry) : nullptr;
            write_entry(entry, 0);
            if (child != nullptr) {
                free_table(child);
            }
        }
    }
}

// Access rights. Changing only these needs no break-before-make (D8.14.1).

void Stage2Change::protect(IpaRange range, Access kernel, Access user) {
    if (protect_in(tables_.root_, start_level(), range, kernel, user)) {
        stage2_invalidate_range(tables_.vttbr_, range.base, range.size);
    }
}

/// True if it changed anything.
bool Stage2Change::protect_in(Entry* table, unsigned level, IpaRange range, Access kernel,
                              Access user) {
    bool changed = false;
    for (Slots slots(level, range); slots.more(); slots.next()) {
        Entry& entry = table[slots.index()];
        if (!is_live(entry)) {
            continue;
        }
        if (!is_table(entry, level)) {
            MapAttributes attributes = decode_attributes(entry);
            attributes.kernel = kernel;
            attributes.user = user;
            const Entry wanted = (entry & ~attribute_mask) | encode_attributes(attributes);
            if (wanted == entry) {
                continue;
            }
            if (slots.whole()) {
                write_entry(entry, wanted);
                changed = true;
                continue;
            }
            split(entry, level, slots.entry_base());
        }
        changed |= protect_in(table_of(entry), level + 1, slots.part(), kernel, user);
        join_if_uniform(entry, level, slots.entry_base());
    }
    return changed;
}

} // namespace hyp
