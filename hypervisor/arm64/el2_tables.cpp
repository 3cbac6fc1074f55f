// SPDX-License-Identifier: BSD-3-Clause
// Builds EL2 stage-1 tables (Arm ARM D8.3). Also runs with the MMU off, at the physical address.
#include "arm64/el2_tables.hpp"

namespace hyp::arch {

namespace {

constexpr unsigned page_bits = 12;
constexpr unsigned level_bits = 9;
constexpr unsigned last_level = 3;
constexpr std::uint64_t index_mask = 0x1ff;

constexpr std::uint64_t valid = 1;
constexpr std::uint64_t table_or_page = 2;
constexpr std::uint64_t address_mask = 0x0000'ffff'ffff'f000;

// Attributes of leaf entries; MAIR_EL2 in head.S has the same order of memory types.
constexpr std::uint64_t attr_normal = 0ull << 2;
constexpr std::uint64_t attr_device = 1ull << 2;
constexpr std::uint64_t ap_res1 = 1ull << 6; // AP[1]: RES1 where one EL uses the regime
constexpr std::uint64_t ap_read_only = 1ull << 7;
constexpr std::uint64_t inner_shareable = 3ull << 8;
constexpr std::uint64_t access_flag = 1ull << 10;
constexpr std::uint64_t guarded_page = 1ull << 50; // RES0 without FEAT_BTI
constexpr std::uint64_t execute_never = 1ull << 54;

constexpr std::uint64_t leaf_attributes(El2Memory memory, bool guarded) {
    constexpr std::uint64_t common = valid | ap_res1 | access_flag;
    switch (memory) {
    case El2Memory::text:
        return common | attr_normal | inner_shareable | ap_read_only | (guarded ? guarded_page : 0);
    case El2Memory::rodata:
        return common | attr_normal | inner_shareable | ap_read_only | execute_never;
    case El2Memory::data:
        return common | attr_normal | inner_shareable | execute_never;
    case El2Memory::device:
        return common | attr_device | execute_never;
    }
    return 0;
}

constexpr std::uint64_t span_of(unsigned level) {
    return std::uint64_t{1} << (page_bits + level_bits * (last_level - level));
}

bool block_fits(unsigned level, std::uint64_t va, std::uint64_t pa, std::uint64_t size) {
    const std::uint64_t span = span_of(level);
    return level != 0 && ((va | pa) & (span - 1)) == 0 && size >= span;
}

} // namespace

bool el2_map(const TableSource& source, std::uint64_t root, std::uint64_t va, std::uint64_t pa,
             std::uint64_t size, El2Memory memory) {
    const std::uint64_t attributes = leaf_attributes(memory, source.guarded);
    while (size != 0) {
        std::uint64_t* table = source.pointer(root);
        unsigned level = 0;
        for (; !block_fits(level, va, pa, size); ++level) {
            if (level == last_level) {
                return false; // not page-aligned
            }
            std::uint64_t& entry = table[(va / span_of(level)) & index_mask];
            if (entry == 0) {
                const std::uint64_t page = source.allocate();
                if (page == 0) {
                    return false;
                }
                entry = page | table_or_page | valid;
            } else if ((entry & table_or_page) == 0) {
                return false; // a block is there
            }
            table = source.pointer(entry & address_mask);
        }
        const std::uint64_t span = span_of(level);
        do { // until the table's end, where larger blocks may fit
            std::uint64_t& entry = table[(va / span) & index_mask];
            if (entry != 0) {
                return false;
            }
            entry = pa | attributes | (level == last_level ? table_or_page : 0);
            va += span;
            pa += span;
            size -= span;
        } while (size >= span && ((va / span) & index_mask) != 0);
    }
    return true;
}

} // namespace hyp::arch
