// SPDX-License-Identifier: BSD-3-Clause
// Stage 1 of the test program: everything one to one, and a window of pages that tests may map.
#pragma once

#include <cstdint>

namespace test {

enum class PageKind { normal, normal_executable, read_only, device };

/// Builds the tables from the device tree's RAM. Once, on the boot CPU, MMU off.
void build_page_tables();
/// Turns MMU and caches on. On each CPU.
void enable_mmu();

inline constexpr unsigned window_pages = 16;

/// Address of page `index` (0..15) of the window; nothing is mapped there until map_window.
std::uint64_t window_address(unsigned index);
/// Maps the page at `physical` (4 KiB aligned) there.
void map_window(unsigned index, std::uint64_t physical, PageKind kind);
void unmap_window(unsigned index);

/// Lets the table walk for a part of the window go to a level-3 table at `physical`; returns an
/// address there.
std::uint64_t map_window_table(std::uint64_t physical);
void unmap_window_table();

/// Makes memory the same for a VM that looks at it uncached, and drops what was cached of it.
void clean_invalidate(const void* start, std::uint64_t size);
/// Instructions that were written there may be executed.
void publish_code(const void* start, std::uint64_t size);

} // namespace test
