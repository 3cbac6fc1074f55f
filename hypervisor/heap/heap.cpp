// SPDX-License-Identifier: BSD-3-Clause
// Slabs: one page each, a 64-byte header with a bitmap of used cells, then the cells.
#include "heap/heap.hpp"

#include <arch/poison.hpp>
#include <runtime/panic.hpp>

#include <bit>

namespace hyp {

namespace {
constexpr std::uint64_t header_size = 64;
constexpr std::uint32_t slab_magic = 0x51ab51ab;

constexpr std::uint64_t cells_per_slab(std::uint64_t cell_size) {
    return (page_size - header_size) / cell_size;
}
} // namespace

/// At the start of its page, so that a cell's slab is found by rounding its address down. Cells
/// are never page-aligned for the same reason, which is what tells them from whole pages.
struct Heap::Slab : rt::ListNode<Heap> {
    std::uint64_t used[2]{}; // bit n: cell n is given out
    std::uint32_t magic = slab_magic;
    std::uint16_t size_class;
    std::uint16_t used_count = 0;

    explicit Slab(std::size_t of_class) : size_class(static_cast<std::uint16_t>(of_class)) {}
};

Heap& heap() {
    static constinit Heap instance;
    return instance;
}

/// The smallest class that fits, or cell_sizes.size() for whole pages.
std::size_t Heap::class_for(std::size_t size, std::size_t alignment) {
    std::size_t index = 0;
    while (index < cell_sizes.size() &&
           (cell_sizes[index] < size || alignment > (cell_sizes[index] < 64 ? 32U : 64U))) {
        ++index;
    }
    return index;
}

void* Heap::allocate(std::size_t size, std::size_t alignment) {
    const std::size_t size_class = class_for(size, alignment);
    if (size_class == cell_sizes.size()) {
        return page_allocator().allocate(PageAllocator::order_for(size));
    }
    const LockGuard guard(lock_);
    return take_cell(size_class);
}

void* Heap::take_cell(std::size_t size_class) {
    Slab* slab = partial_[size_class].front();
    if (slab == nullptr) {
        slab = make_slab(size_class);
        if (slab == nullptr) {
            return nullptr;
        }
    }
    const std::size_t cell_size = cell_sizes[size_class];
    const unsigned word = ~slab->used[0] != 0 ? 0 : 1;
    const auto bit = static_cast<unsigned>(std::countr_one(slab->used[word]));
    slab->used[word] |= std::uint64_t{1} << bit;
    if (++slab->used_count == cells_per_slab(cell_size)) {
        List::remove(*slab);
    }
    auto* cell = reinterpret_cast<std::byte*>(slab) + header_size + (word * 64 + bit) * cell_size;
    unpoison(cell, cell_size);
    return cell;
}

Heap::Slab* Heap::make_slab(std::size_t size_class) {
    void* page = page_allocator().allocate(0);
    if (page == nullptr) {
        return nullptr;
    }
    Slab* slab = new (page) Slab(size_class);
    poison(static_cast<std::byte*>(page) + header_size, page_size - header_size);
    partial_[size_class].push_front(*slab);
    return slab;
}

void Heap::release(void* cell) {
    if (cell == nullptr) {
        return;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(cell);
    if (is_aligned(address, page_size)) {
        page_allocator().release(cell);
        return;
    }
    const LockGuard guard(lock_);
    auto* slab = reinterpret_cast<Slab*>(align_down(address, page_size));
    rt::ensure(slab->magic == slab_magic, "release of memory not from the heap");
    const std::size_t cell_size = cell_sizes[slab->size_class];
    const std::size_t offset = address % page_size - header_size;
    const std::size_t index = offset / cell_size;
    const std::uint64_t mask = std::uint64_t{1} << (index % 64);
    const bool given_out = offset % cell_size == 0 && (slab->used[index / 64] & mask) != 0;
    rt::ensure(given_out, "release of a free heap cell");
    poison(cell, cell_size);
    slab->used[index / 64] &= ~mask;
    give_back(*slab);
}

/// A cell of the slab has become free.
void Heap::give_back(Slab& slab) {
    if (slab.used_count-- == cells_per_slab(cell_sizes[slab.size_class])) {
        partial_[slab.size_class].push_front(slab);
    }
    if (slab.used_count == 0) {
        List::remove(slab);
        slab.magic = 0;
        page_allocator().release(&slab);
    }
}

} // namespace hyp
