// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 tables: making, reading and configuring them. Changes are in stage2_change.cpp.
#include "memory/stage2.hpp"

#include "heap/page_allocator.hpp"
#include "memory/stage2_change.hpp"
#include "memory/stage2_entry.hpp"

#include <arch/stage2_attributes.hpp>
#include <arch/tlb.hpp>

#include <algorithm>
#include <atomic>

namespace hyp {

using namespace stage2;

namespace {

constexpr unsigned vmid_shift = 48;
constinit std::atomic<std::uint64_t> table_count{0};

/// VTCR_EL2.PS, and the widths of physical addresses it stands for (Arm ARM D19.2.171).
std::uint64_t physical_size_field(unsigned bits) {
    constexpr unsigned widths[] = {32, 36, 40, 42, 44, 48};
    std::uint64_t field = 0;
    while (field + 1 < std::size(widths) && widths[field + 1] <= bits) {
        ++field;
    }
    return field;
}

std::uint64_t root_size() {
    const unsigned level = Stage2Change::start_level();
    return std::max(page_size, (Stage2::ipa_limit() >> entry_shift(level)) * sizeof(Entry));
}

} // namespace

unsigned Stage2::ipa_bits() {
    return std::min(physical_address_bits(), 48U);
}

std::uint64_t Stage2::vtcr() {
    constexpr std::uint64_t reserved_one = std::uint64_t{1} << 31;
    constexpr std::uint64_t walks_writeback_shareable = (1U << 8) | (1U << 10) | (3U << 12);
    constexpr unsigned sl0_shift = 6;
    constexpr unsigned ps_shift = 16;
    const std::uint64_t sl0 = Stage2Change::start_level() == 0 ? 2 : 1;
    return reserved_one | (physical_size_field(ipa_bits()) << ps_shift) |
           walks_writeback_shareable | (sl0 << sl0_shift) | (64 - ipa_bits());
}

std::uint64_t Stage2::total_table_pages() {
    return table_count.load(std::memory_order_relaxed);
}

void Stage2::count_tables(std::int64_t change) {
    table_pages_ += static_cast<std::size_t>(change);
    table_count.fetch_add(static_cast<std::uint64_t>(change), std::memory_order_relaxed);
}

Stage2::~Stage2() {
    destroy();
}

Result<> Stage2::create(std::uint8_t hardware_vmid, JoinPolicy may_join, Object* owner) {
    const unsigned order = PageAllocator::order_for(root_size());
    owner_ = owner;
    RT_FAIL_IF(!charge(std::uint64_t{1} << order), Error::no_memory);
    root_ = static_cast<Entry*>(page_allocator().allocate_zeroed(order));
    if (root_ == nullptr) {
        refund(std::uint64_t{1} << order);
        return fail(Error::no_memory);
    }
    vttbr_ = (std::uint64_t{hardware_vmid} << vmid_shift) | virt_to_phys(root_).value;
    may_join_ = may_join;
    count_tables(std::int64_t{1} << order);
    return {};
}

void Stage2::destroy() {
    if (root_ == nullptr) {
        return;
    }
    struct Ignore final : LeafVisitor {
        bool visit(const Mapping&) override { return true; }
    } ignore;
    Stage2Change(*this).unmap(all(), ignore); // removes whole entries: needs no memory
    stage2_invalidate_all(vttbr_);
    page_allocator().release(root_);
    root_ = nullptr;
    refund(table_pages_);
    count_tables(-static_cast<std::int64_t>(table_pages_));
}

Result<> Stage2::check_range(IpaRange range) {
    RT_FAIL_IF(range.size == 0, Error::argument_size);
    RT_FAIL_IF(range_wraps(range.base.value, range.size), Error::address_overflow);
    RT_FAIL_IF(range.end().value > ipa_limit(), Error::address_invalid);
    return {};
}

Result<> Stage2::check(IpaRange range) {
    RT_FAIL_IF(!range.base.page_aligned() || !is_aligned(range.size, page_size),
               Error::argument_alignment);
    return check_range(range);
}

Result<> Stage2::map(std::span<const Run> runs, MapAttributes attributes) {
    Stage2Change change(*this);
    for (const Run& run : runs) {
        RT_TRY(check({run.ipa, run.phys.size}));
        RT_FAIL_IF(!run.phys.base.page_aligned(), Error::argument_alignment);
        RT_FAIL_IF(!range_within(run.phys.base.value, run.phys.size, ipa_limit()),
                   Error::address_invalid);
        RT_TRY(change.plan_map(run));
    }
    RT_TRY(change.reserve());
    const Entry bits = encode_attributes(attributes);
    for (const Run& run : runs) {
        change.map(run, bits);
    }
    stage2_publish();
    return {};
}

Result<> Stage2::unmap(IpaRange range, LeafVisitor& removed) {
    RT_TRY(check(range));
    Stage2Change change(*this);
    change.plan_cut(range);
    RT_TRY(change.reserve());
    change.unmap(range, removed);
    return {};
}

Result<> Stage2::protect(IpaRange range, Access kernel, Access user) {
    RT_TRY(check(range));
    Stage2Change change(*this);
    change.plan_cut(range);
    RT_TRY(change.reserve());
    change.protect(range, kernel, user);
    return {};
}

std::optional<Stage2::Mapping> Stage2::lookup(Ipa ipa) const {
    if (root_ == nullptr || ipa.value >= ipa_limit()) {
        return std::nullopt;
    }
    const Entry* table = root_;
    for (unsigned level = Stage2Change::start_level();; ++level) {
        const Entry entry = table[Stage2Change::index(level, ipa.value)];
        if (!is_live(entry)) {
            return std::nullopt;
        }
        if (!is_table(entry, level)) {
            return Mapping{{align_down(ipa.value, entry_size(level))},
                           address_of(entry),
                           entry_size(level),
                           decode_attributes(entry)};
        }
        table = table_of(entry);
    }
}

void Stage2::visit_leaves(IpaRange range, LeafVisitor& visitor) const {
    const IpaRange inside{range.base, std::min(range.end().value, ipa_limit()) - range.base.value};
    if (root_ != nullptr && range.base.value < ipa_limit()) {
        visit(root_, Stage2Change::start_level(), inside, visitor);
    }
}

/// False: the visitor wants no more.
bool Stage2::visit(const Entry* table, unsigned level, IpaRange range, LeafVisitor& visitor) const {
    for (Slots slots(level, range); slots.more(); slots.next()) {
        const Entry entry = table[slots.index()];
        if (!is_live(entry)) {
            continue;
        }
        const bool go_on =
            is_table(entry, level)
                ? visit(table_of(entry), level + 1, slots.part(), visitor)
                : visitor.visit({{align_down(slots.part().base.value, entry_size(level))},
                                 address_of(entry),
                                 entry_size(level),
                                 decode_attributes(entry)});
        if (!go_on) {
            return false;
        }
    }
    return true;
}

} // namespace hyp
