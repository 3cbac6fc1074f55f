// SPDX-License-Identifier: BSD-3-Clause
// Marks of free memory for AddressSanitizer; nothing without it.
#include <arch/poison.hpp>

#include <arch/tlb.hpp>

#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)
#define ASAN_UNPOISON_MEMORY_REGION(start, size)
#endif

namespace hyp {

void poison([[maybe_unused]] void* start, [[maybe_unused]] std::size_t size) {
    fake::check_stage2_release(start);
    ASAN_POISON_MEMORY_REGION(start, size);
}

void unpoison([[maybe_unused]] void* start, [[maybe_unused]] std::size_t size) {
    ASAN_UNPOISON_MEMORY_REGION(start, size);
}

} // namespace hyp
