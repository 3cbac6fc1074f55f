// SPDX-License-Identifier: BSD-3-Clause
// Cache maintenance on the host: only zeroing has an effect.
#include <arch/cache.hpp>

#include <cstring>

namespace hyp {

void clean_range(void*, std::uint64_t) {}

void clean_invalidate_range(void*, std::uint64_t) {}

void zero_pages(void* start, std::uint64_t size) {
    std::memset(start, 0, size);
}

} // namespace hyp
