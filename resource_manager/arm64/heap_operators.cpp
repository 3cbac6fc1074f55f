// SPDX-License-Identifier: BSD-3-Clause
// operator new and delete of the freestanding build, on RM's heap.
#include "arm64/heap_operators.hpp"

#include <runtime/panic.hpp>

#include <new>

namespace rm {

Heap& own_heap() {
    static constinit Heap heap;
    return heap;
}

} // namespace rm

// The library that normally defines it is not linked.
const std::nothrow_t std::nothrow{};

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return rm::own_heap().allocate(size);
}

// RM always asks in a way that can fail; whoever forgets finds out here.
void* operator new(std::size_t size) {
    void* memory = rm::own_heap().allocate(size);
    rt::ensure(memory != nullptr, "operator new: no memory");
    return memory;
}

void operator delete(void* memory) noexcept {
    rm::own_heap().release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    rm::own_heap().release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    rm::own_heap().release(memory);
}
