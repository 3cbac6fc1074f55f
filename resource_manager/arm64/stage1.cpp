// SPDX-License-Identifier: BSD-3-Clause
// Stage-1 tables for EL1, 4 KiB granule, 39-bit addresses (Arm ARM D8.2, D8.3).
#include "arm64/stage1.hpp"

#include "arm64/address_map.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

extern "C" {
extern const char rm_text_end[];
extern const char rm_rodata_end[];
extern const char rm_guard_start[];
extern const char rm_stack_bottom[];
}

namespace rm {

namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t block = 2ULL << 20;
constexpr std::uint64_t gigabyte = 1ULL << 30;

// Descriptor bits (D8.3.1, D8.3.2).
constexpr std::uint64_t valid_table = 3;
constexpr std::uint64_t valid_page = 3;
constexpr std::uint64_t valid_block = 1;
constexpr std::uint64_t attribute_normal = 0 << 2; // index into MAIR_EL1
constexpr std::uint64_t attribute_device = 1 << 2;
constexpr std::uint64_t read_only = 1ULL << 7;
constexpr std::uint64_t inner_shareable = 3ULL << 8;
constexpr std::uint64_t accessed = 1ULL << 10;
constexpr std::uint64_t never_privileged_execute = 1ULL << 53;
constexpr std::uint64_t never_execute = 1ULL << 54 | never_privileged_execute;

constexpr std::uint64_t normal = attribute_normal | inner_shareable | accessed;
constexpr std::uint64_t data = normal | never_execute;
constexpr std::uint64_t constants = normal | never_execute | read_only;
constexpr std::uint64_t code = normal | read_only | 1ULL << 54; // EL0 does not exist here
constexpr std::uint64_t device = attribute_device | accessed | never_execute;

constexpr std::uint64_t mair = 0x04'ff; // 0: normal, write-back; 1: device nGnRE

constexpr std::uint64_t tcr_39_bits = 25;        // T0SZ
constexpr std::uint64_t tcr_cached = 0x5 << 8;   // IRGN0, ORGN0: write-back, write-allocate
constexpr std::uint64_t tcr_shared = 3ULL << 12; // SH0: inner shareable
constexpr std::uint64_t tcr_no_ttbr1 = 1ULL << 23;
constexpr unsigned tcr_ips_shift = 32;
constexpr std::uint64_t largest_ips = 5; // 48 bits

constexpr std::uint64_t sctlr_mmu = 1 << 0;
constexpr std::uint64_t sctlr_data_cache = 1 << 2;
constexpr std::uint64_t sctlr_stack_alignment = 3 << 3;
constexpr std::uint64_t sctlr_instruction_cache = 1 << 12;
constexpr std::uint64_t sctlr_write_never_executes = 1 << 19;
// Bits that are one where the features behind them do not exist (D23.2.153): LSMAOE, nTLSMD, SPAN,
// EIS, TSCXT, EOS, and nTWE, nTWI.
constexpr std::uint64_t sctlr_res1 = 0x3050'0800 | 1 << 23 | 1 << 16 | 1 << 18;

using Table = std::array<std::uint64_t, 512>;

alignas(page) constinit Table level1{};
alignas(page) constinit Table level2_devices{};
alignas(page) constinit Table level2_memory{};
alignas(page) constinit Table level2_window{};
alignas(page) constinit Table level3_image{};

std::uint64_t address_of(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

void set_table(std::uint64_t address, const Table& table) {
    level1[address / gigabyte] = address_of(table.data()) | valid_table;
}

void set_block(Table& table, std::uint64_t address, std::uint64_t attributes) {
    table[address % gigabyte / block] = address | attributes | valid_block;
}

/// The first 2 MiB hold the image, whose parts have different rights, page by page.
void map_image() {
    for (std::uint64_t address = own_memory; address < own_memory + block; address += page) {
        std::uint64_t attributes = data;
        if (address < address_of(rm_text_end)) {
            attributes = code;
        } else if (address < address_of(rm_rodata_end)) {
            attributes = constants;
        }
        const bool is_guard =
            address >= address_of(rm_guard_start) && address < address_of(rm_stack_bottom);
        level3_image[address % block / page] = is_guard ? 0 : address | attributes | valid_page;
    }
}

} // namespace

void enable_stage1(std::uint64_t memory_size) {
    const std::uint64_t memory_end = std::min(own_memory + memory_size, own_memory_limit);
    map_image();
    level2_memory[0] = address_of(level3_image.data()) | valid_table;
    // Rounding up to a block is harmless: stage 2 decides what exists.
    for (std::uint64_t address = own_memory + block; address < memory_end; address += block) {
        set_block(level2_memory, address, data);
    }
    set_block(level2_devices, own_distributor, device);
    static_assert(own_redistributor + 0x20000 <= own_distributor + block);
    for (std::uint64_t offset = 0; offset < own_window_size; offset += block) {
        set_block(level2_window, own_window + offset, data);
    }
    set_table(own_distributor, level2_devices);
    set_table(own_memory, level2_memory);
    set_table(own_window, level2_window);

    std::uint64_t features = 0;
    asm volatile("mrs %0, id_aa64mmfr0_el1" : "=r"(features));
    const std::uint64_t ips = std::min<std::uint64_t>(features & 0xf, largest_ips);
    const std::uint64_t tcr =
        tcr_39_bits | tcr_cached | tcr_shared | tcr_no_ttbr1 | ips << tcr_ips_shift;
    const std::uint64_t sctlr = sctlr_res1 | sctlr_mmu | sctlr_data_cache | sctlr_stack_alignment |
                                sctlr_instruction_cache | sctlr_write_never_executes;
    asm volatile("msr mair_el1, %0\n"
                 "msr tcr_el1, %1\n"
                 "msr ttbr0_el1, %2\n"
                 "dsb sy\n"
                 "isb\n"
                 "tlbi vmalle1\n"
                 "ic iallu\n"
                 "dsb sy\n"
                 "isb\n"
                 "msr sctlr_el1, %3\n"
                 "isb\n"
                 :
                 : "r"(mair), "r"(tcr), "r"(address_of(level1.data())), "r"(sctlr)
                 : "memory");
}

} // namespace rm
