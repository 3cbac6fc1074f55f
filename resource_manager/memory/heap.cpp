// SPDX-License-Identifier: BSD-3-Clause
// First-fit allocation with splitting, and release with merging of neighbours.
#include "memory/heap.hpp"

#include <runtime/panic.hpp>

namespace rm {

namespace {

constexpr std::uintptr_t magic_used = 0x7573'6564'626c'6f63;
constexpr std::uintptr_t magic_free = 0x6672'6565'626c'6f63;
constexpr std::size_t least_block = 32;

} // namespace

void Heap::add(void* memory, std::size_t size) {
    const auto start = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t low = (start + alignment - 1) & ~(alignment - 1);
    const std::uintptr_t high = (start + size) & ~(alignment - 1);
    if (high < low + 64) {
        return;
    }
    rt::ensure(first_ == nullptr && total_ == 0, "Heap: add() called twice");
    low_ = low;
    high_ = high;
    total_ = high - low;
    first_ = reinterpret_cast<Block*>(low);
    *first_ = {.size = total_, .magic = magic_free, .next = nullptr};
}

void* Heap::allocate(std::size_t size) {
    if (size > total_) {
        return nullptr;
    }
    std::size_t wanted = (size + header_size + alignment - 1) & ~(alignment - 1);
    wanted = wanted < least_block ? least_block : wanted;
    Block** link = &first_;
    while (*link != nullptr && (*link)->size < wanted) {
        link = &(*link)->next;
    }
    Block* block = *link;
    if (block == nullptr) {
        return nullptr;
    }
    if (block->size - wanted >= least_block) {
        auto* rest = reinterpret_cast<Block*>(reinterpret_cast<std::byte*>(block) + wanted);
        *rest = {.size = block->size - wanted, .magic = magic_free, .next = block->next};
        *link = rest;
        block->size = wanted;
    } else {
        *link = block->next;
    }
    block->magic = magic_used;
    used_ += block->size;
    return reinterpret_cast<std::byte*>(block) + header_size;
}

void Heap::release(void* memory) {
    if (memory == nullptr) {
        return;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    const bool inside = address >= low_ + header_size && address < high_;
    rt::ensure(inside && address % alignment == 0, "Heap: release of a foreign pointer");
    auto* block = reinterpret_cast<Block*>(address - header_size);
    rt::ensure(block->magic == magic_used, "Heap: double release or overwritten header");
    block->magic = magic_free;
    used_ -= block->size;

    Block* previous = nullptr;
    Block* next = first_;
    while (next != nullptr && next < block) {
        previous = next;
        next = next->next;
    }
    block->next = next;
    const auto touches = [](const Block* a, const Block* b) {
        return reinterpret_cast<const std::byte*>(a) + a->size ==
               reinterpret_cast<const std::byte*>(b);
    };
    if (next != nullptr && touches(block, next)) {
        block->size += next->size;
        block->next = next->next;
    }
    if (previous == nullptr) {
        first_ = block;
    } else if (touches(previous, block)) {
        previous->size += block->size;
        previous->next = block->next;
        block->magic = 0;
    } else {
        previous->next = block;
    }
}

} // namespace rm
