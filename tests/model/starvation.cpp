// SPDX-License-Identifier: BSD-3-Clause
// The allocators' front doors, and how they are shut.
#include "starvation.hpp"

#include "heap/heap.hpp"
#include "heap/page_allocator.hpp"
#include "memory/stage2.hpp"
#include "object/cspace.hpp"
#include "object/object.hpp"

#include <abi/error.h>

#include <fmt/format.h>
#include <set>

namespace model {

namespace {

std::size_t until_failure = 0; // allocations, the failing one included; 0: none fails
std::size_t failures = 0;
std::set<const void*> places; // return addresses

bool fails(const void* place) {
    const bool last = until_failure == 1;
    until_failure -= until_failure == 0 ? 0 : 1;
    if (!last) {
        return false;
    }
    ++failures;
    places.insert(place);
    return true;
}

} // namespace

std::string resources() {
    return fmt::format("{} pages, {} objects, {} capabilities, {} tables",
                       hyp::page_allocator().used_pages(), hyp::Object::count(),
                       hyp::Cspace::total_capabilities(), hyp::Stage2::total_table_pages());
}

std::optional<std::string> starve(const std::function<std::int64_t()>& call,
                                  const std::function<std::optional<std::string>()>& unchanged) {
    for (std::size_t n = 1;; ++n) {
        const std::string before = resources();
        const std::size_t failed_before = failures;
        until_failure = n;
        const std::int64_t error = call();
        until_failure = 0;
        if (failures == failed_before || error == GH_ERROR_OK) {
            return std::nullopt;
        }
        if (error != GH_ERROR_NOMEM) {
            return fmt::format("error {} when allocation {} fails", error, n);
        }
        if (const std::string after = resources(); after != before) {
            return fmt::format("allocation {} failed; before: {}; after: {}", n, before, after);
        }
        if (const auto wrong = unchanged()) {
            return fmt::format("allocation {} failed; after it {}", n, *wrong);
        }
    }
}

Starved starved() {
    return {failures, places.size()};
}

} // namespace model

// GNU ld, --wrap: references to NAME from other files become references to __wrap_NAME, and
// __real_NAME is NAME itself. The names are those of the C++ ABI, with `this` as first argument.
extern "C" {

void* __real__ZN3hyp4Heap8allocateEmm(hyp::Heap*, std::size_t, std::size_t);
void* __wrap__ZN3hyp4Heap8allocateEmm(hyp::Heap* heap, std::size_t size, std::size_t alignment) {
    return model::fails(__builtin_return_address(0))
               ? nullptr
               : __real__ZN3hyp4Heap8allocateEmm(heap, size, alignment);
}

void* __real__ZN3hyp13PageAllocator8allocateEj(hyp::PageAllocator*, unsigned);
void* __wrap__ZN3hyp13PageAllocator8allocateEj(hyp::PageAllocator* pool, unsigned order) {
    return model::fails(__builtin_return_address(0))
               ? nullptr
               : __real__ZN3hyp13PageAllocator8allocateEj(pool, order);
}

void* __real__ZN3hyp13PageAllocator15allocate_zeroedEj(hyp::PageAllocator*, unsigned);
void* __wrap__ZN3hyp13PageAllocator15allocate_zeroedEj(hyp::PageAllocator* pool, unsigned order) {
    return model::fails(__builtin_return_address(0))
               ? nullptr
               : __real__ZN3hyp13PageAllocator15allocate_zeroedEj(pool, order);
}
}
