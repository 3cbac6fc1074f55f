// SPDX-License-Identifier: BSD-3-Clause
// TLB maintenance on the host: tell whoever listens, and check every write to a stage-2 table
// against the rules of break-before-make (Arm ARM D8.16.1): an entry that was valid is invalid
// first, then the TLBs are told, and only then the entry, or the table that it led to, is used
// again. Only its permissions may change while it is valid.
#include <arch/tlb.hpp>

#include <arch/physmap.hpp>
#include <runtime/panic.hpp>

#include <unordered_map>

namespace hyp {

namespace fake {
std::function<void(std::uint64_t, Ipa, std::uint64_t)> on_invalidate;
}

namespace {

constexpr std::uint64_t valid_bit = 1, table_bit = 2;
constexpr std::uint64_t address_bits = 0x0000fffffffff000;
// S2AP and XN of a stage-2 leaf (Arm ARM D8.3.1.2).
constexpr std::uint64_t permission_bits = std::uint64_t{3} << 6 | std::uint64_t{3} << 53;

/// Entries of the tables that a CPU is changing, and what TLBs may hold of them. A change begins
/// and ends on one CPU.
thread_local std::unordered_map<const std::uint64_t*, std::uint64_t> cached;

} // namespace

void check_stage2_write(const std::uint64_t& entry, std::uint64_t value) {
    const std::uint64_t before = entry;
    if ((before & value & valid_bit) != 0) {
        rt::ensure(((before ^ value) & ~permission_bits) == 0,
                   "stage 2: a valid entry changes without a break");
        cached.emplace(&entry, before);
    } else if ((before & valid_bit) != 0) {
        cached.emplace(&entry, before);
    } else {
        rt::ensure(!cached.contains(&entry),
                   "stage 2: an entry is used again before the TLBs are clean");
    }
}

bool fake::stage2_settled() {
    return cached.empty();
}

void fake::check_stage2_release(const void* page) {
    for (const auto& [entry, value] : cached) {
        const PhysAddr table{value & address_bits};
        const bool leads_here = (value & table_bit) != 0 && table >= ram_base &&
                                table - ram_base < ram_size && phys_to_virt(table) == page;
        rt::ensure(!leads_here, "stage 2: a table is released before the TLBs are clean");
    }
}

void stage2_publish() {}

void stage2_invalidate_range(std::uint64_t vttbr, Ipa ipa, std::uint64_t size) {
    cached.clear();
    if (fake::on_invalidate) {
        fake::on_invalidate(vttbr, ipa, size);
    }
}

void stage2_invalidate_all(std::uint64_t vttbr) {
    stage2_invalidate_range(vttbr, Ipa{0}, ~std::uint64_t{0});
}

} // namespace hyp
