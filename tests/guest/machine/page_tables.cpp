// SPDX-License-Identifier: BSD-3-Clause
// 39-bit virtual addresses, 4 KiB granule: one level-1 table of 1 GiB blocks (Arm ARM D8.3); its
// last entry leads to the window.
#include "machine/page_tables.hpp"

#include "machine/board.hpp"
#include "machine/sysreg.hpp"

#include <array>
#include <cstddef>

namespace test {

namespace {

constexpr std::size_t entries = 512;
constexpr std::uint64_t gigabyte = std::uint64_t{1} << 30;
constexpr std::uint64_t page_size = 4096;
constexpr unsigned virtual_address_bits = 39;

struct alignas(page_size) Table {
    std::array<std::uint64_t, entries> entry;
};

constinit Table level1{};
constinit Table window_level2{};
constinit Table window_level3{};

constexpr std::uint64_t descriptor_block = 1;
constexpr std::uint64_t descriptor_table = 3;
constexpr std::uint64_t descriptor_page = 3;
constexpr std::uint64_t accessed = 1u << 10;
constexpr std::uint64_t inner_shareable = 3u << 8;
constexpr std::uint64_t no_write = 1u << 7; // AP[2]
constexpr std::uint64_t execute_never = 3ull << 53;
constexpr unsigned index_normal = 0; // of MAIR_EL1
constexpr unsigned index_device = 1;
constexpr std::uint64_t mair = 0x04ff; // 0: normal write-back, 1: device nGnRE

std::uint64_t attributes(PageKind kind) {
    if (kind == PageKind::device) {
        return accessed | index_device << 2 | execute_never;
    }
    const std::uint64_t normal = accessed | inner_shareable | index_normal << 2;
    switch (kind) {
    case PageKind::normal:
        return normal | execute_never;
    case PageKind::read_only:
        return normal | execute_never | no_write;
    default:
        return normal;
    }
}

bool has_ram(const Range& range) {
    for (const Range& ram : board().ram) {
        if (ram.overlaps(range)) {
            return true;
        }
    }
    return false;
}

std::uint64_t address_of(const Table& table) {
    return reinterpret_cast<std::uint64_t>(&table);
}

void invalidate(std::uint64_t address) {
    const std::uint64_t page = address >> 12 & ((std::uint64_t{1} << 44) - 1);
    asm volatile("dsb ishst\n\ttlbi vaae1is, %0\n\tdsb ish\n\tisb" : : "r"(page) : "memory");
}

} // namespace

void build_page_tables() {
    for (std::size_t i = 0; i < entries; ++i) {
        const std::uint64_t base = i * gigabyte;
        const PageKind kind =
            has_ram({base, gigabyte}) ? PageKind::normal_executable : PageKind::device;
        level1.entry[i] = base | attributes(kind) | descriptor_block;
    }
    level1.entry[entries - 1] = address_of(window_level2) | descriptor_table;
    window_level2.entry[0] = address_of(window_level3) | descriptor_table;
}

void enable_mmu() {
    constexpr std::uint64_t walks = 3u << 12 | 1u << 10 | 1u << 8; // inner shareable, write-back
    constexpr std::uint64_t no_upper_half = 1u << 23;              // EPD1
    const std::uint64_t range = READ_SYSREG(id_aa64mmfr0_el1) & 0xf;
    const std::uint64_t physical_size = range > 5 ? 5 : range;
    WRITE_SYSREG(mair_el1, mair);
    WRITE_SYSREG(tcr_el1,
                 (64 - virtual_address_bits) | walks | no_upper_half | physical_size << 32);
    WRITE_SYSREG(ttbr0_el1, address_of(level1));
    isb();
    asm volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" : : : "memory");
    constexpr std::uint64_t mmu_and_caches = 1u << 0 | 1u << 2 | 1u << 12;
    WRITE_SYSREG(sctlr_el1, READ_SYSREG(sctlr_el1) | mmu_and_caches);
    isb();
}

std::uint64_t window_address(unsigned index) {
    return (entries - 1) * gigabyte + index * page_size;
}

void map_window(unsigned index, std::uint64_t physical, PageKind kind) {
    unmap_window(index);
    window_level3.entry[index] = physical | attributes(kind) | descriptor_page;
    asm volatile("dsb ishst\n\tisb" : : : "memory");
}

void unmap_window(unsigned index) {
    window_level3.entry[index] = 0;
    invalidate(window_address(index));
}

std::uint64_t map_window_table(std::uint64_t physical) {
    constexpr std::uint64_t block = std::uint64_t{2} << 20;
    window_level2.entry[1] = physical | descriptor_table;
    asm volatile("dsb ishst\n\tisb" : : : "memory");
    return window_address(0) + block;
}

void unmap_window_table() {
    window_level2.entry[1] = 0;
    asm volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

void clean_invalidate(const void* start, std::uint64_t size) {
    const std::uint64_t line = std::uint64_t{4} << (READ_SYSREG(ctr_el0) >> 16 & 0xf);
    const auto first = reinterpret_cast<std::uint64_t>(start);
    for (std::uint64_t at = first & ~(line - 1); at < first + size; at += line) {
        asm volatile("dc civac, %0" : : "r"(at) : "memory");
    }
    dsb();
}

void publish_code(const void* start, std::uint64_t size) {
    clean_invalidate(start, size);
    asm volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

} // namespace test
