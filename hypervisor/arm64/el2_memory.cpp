// SPDX-License-Identifier: BSD-3-Clause
// The first tables (built with the MMU off) and what is added to them later.
#include "arm64/el2_memory.hpp"
#include "arm64/el2_tables.hpp"

#include <arch/physmap.hpp>
#include <arch/stage2_attributes.hpp>
#include <arch/sysreg.hpp>
#include <runtime/panic.hpp>

#include <array>
#include <cstddef>

extern "C" {
// Defined by hypervisor.lds; only their addresses mean something.
extern const char image_start[], text_end[], rodata_end[], data_end[], stack_start[], image_end[];
std::uint64_t el2_build_first_tables(const void* device_tree);
}

namespace hyp::arch {

std::uint64_t el2_image_offset;

namespace {

constexpr std::size_t words_per_table = page_size / sizeof(std::uint64_t);
using Table = std::array<std::uint64_t, words_per_table>;

// Root, image (3 levels, two tables of the lower two), identity map (2), physical map and UART
// before the page allocator exists (10).
constexpr std::size_t first_table_count = 24;
alignas(page_size) std::array<Table, first_table_count> first_tables;
std::size_t first_tables_used;

void* (*table_allocator)();
std::uint64_t next_device = devices_base;
std::uint64_t next_stack = stacks_base;

std::uint64_t address_of(const void* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

// Also before the MMU is on: the image's offset is zero then, and all tables are in the image.

std::uint64_t allocate_table() {
    if (table_allocator != nullptr) {
        void* page = table_allocator();
        return page == nullptr ? 0 : virt_to_phys(page).value;
    }
    return first_tables_used == first_table_count
               ? 0
               : virt_to_phys(&first_tables[first_tables_used++]).value;
}

std::uint64_t* table_pointer(std::uint64_t physical) {
    return image_range().contains(PhysAddr{physical})
               ? reinterpret_cast<std::uint64_t*>(physical + image_offset())
               : static_cast<std::uint64_t*>(phys_to_virt(PhysAddr{physical}));
}

void map(std::uint64_t va, PhysRange range, El2Memory memory) {
    const TableSource source{allocate_table, table_pointer, has_bti()};
    const bool mapped =
        el2_map(source, el2_tables_root(), va, range.base.value, range.size, memory);
    rt::ensure(mapped, "EL2's own page tables: out of table pages, or mapped twice");
    // New entries only: no TLB can hold the old, invalid ones (Arm ARM D8.13.1).
    asm volatile("dsb ishst\n\tisb" : : : "memory");
}

/// Maps the pages that a range touches at the next free address for devices and firmware data.
void* map_window(PhysRange range, El2Memory memory) {
    const PhysAddr first = range.base.page();
    const PhysRange pages{first, align_up(range.end().value, page_size) - first.value};
    const std::uint64_t va = next_device;
    next_device += pages.size + page_size; // an unmapped page between windows
    map(va, pages, memory);
    return reinterpret_cast<void*>(va + range.base.offset_in_page());
}

} // namespace

void map_ram(PhysRange range) {
    map(physmap_base + range.base.value, range, El2Memory::data);
}

const void* map_firmware_data(PhysRange range) {
    return map_window(range, El2Memory::rodata);
}

void* map_device(PhysAddr base, std::uint64_t size) {
    return map_window({base, size}, El2Memory::device);
}

std::uint64_t map_stack(PhysAddr base, std::uint64_t size) {
    const std::uint64_t va = next_stack + page_size; // guard page
    next_stack = va + size;
    map(va, {base, size}, El2Memory::data);
    return next_stack;
}

void set_table_allocator(void* (*allocate)()) {
    table_allocator = allocate;
}

void remove_identity_map() {
    // The image was loaded below image_base, and all else is mapped above: these slots hold only
    // it.
    constexpr std::size_t slots = image_base >> 39;
    std::uint64_t* root = table_pointer(el2_tables_root());
    for (std::size_t slot = 0; slot < slots; ++slot) {
        root[slot] = 0;
    }
    asm volatile("dsb ishst\n\ttlbi alle2is\n\tdsb ish\n\tisb" : : : "memory");
}

std::uint64_t el2_tables_root() {
    return virt_to_phys(first_tables.data()).value;
}

PhysRange image_range() {
    return {virt_to_phys(image_start), address_of(image_end) - address_of(image_start)};
}

} // namespace hyp::arch

/// Runs with the MMU off, at the physical address: places the image, maps it there and its code
/// at the address where it is. Returns the root table, or 0 if that failed.
std::uint64_t el2_build_first_tables(const void* device_tree) {
    using namespace hyp::arch;
    const TableSource source{allocate_table, table_pointer, hyp::has_bti()};
    const std::uint64_t root = allocate_table();
    const std::uint64_t offset = place_image(device_tree) - address_of(image_start);
    const auto map_section = [&](const char* start, const char* end, El2Memory memory,
                                 std::uint64_t distance) {
        return el2_map(source, root, address_of(start) + distance, address_of(start),
                       address_of(end) - address_of(start), memory);
    };
    // Between data_end and stack_start lies the guard page.
    const bool mapped = address_of(image_start) < image_base &&
                        map_section(image_start, text_end, El2Memory::text, offset) &&
                        map_section(text_end, rodata_end, El2Memory::rodata, offset) &&
                        map_section(rodata_end, data_end, El2Memory::data, offset) &&
                        map_section(stack_start, image_end, El2Memory::data, offset) &&
                        map_section(image_start, text_end, El2Memory::text, 0);
    el2_image_offset = offset; // from now on addresses in the tables are looked up by it
    return mapped ? root : 0;
}
