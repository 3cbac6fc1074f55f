// SPDX-License-Identifier: BSD-3-Clause
// Data and instruction cache maintenance by virtual address of EL2.
#pragma once

#include <cstdint>

namespace hyp {

/// Writes dirty lines back to the point of coherency.
void clean_range(void* start, std::uint64_t size);
/// The same, and drops the lines.
void clean_invalidate_range(void* start, std::uint64_t size);
/// Fills whole pages with zeros; both arguments are multiples of a page.
void zero_pages(void* start, std::uint64_t size);
/// After code was written by EL2: all CPUs fetch what memory holds.
void invalidate_instruction_caches();

} // namespace hyp
