// SPDX-License-Identifier: BSD-3-Clause
// RM's heap: an address-ordered free list over the memory behind RM's image.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rm {

/// First fit, neighbours merged on release. RM makes few and mostly large allocations (parcels,
/// device trees), for which this is fast enough and does not fragment badly. Not thread-safe: RM
/// has one vCPU and never allocates in an exception handler.
class Heap {
public:
    /// Every allocation is aligned to this.
    static constexpr std::size_t alignment = 16;

    /// Gives [memory, memory + size) to the heap; call once. Smaller than 64 bytes is ignored.
    void add(void* memory, std::size_t size);

    /// nullptr when no free block is large enough. A size of 0 counts as 1.
    [[nodiscard]] void* allocate(std::size_t size);

    /// Takes back what allocate() gave; nullptr is allowed. Panics on anything else it can detect.
    void release(void* memory);

    /// Bytes handed out, with overhead.
    [[nodiscard]] std::size_t used() const { return used_; }
    [[nodiscard]] std::size_t total() const { return total_; }

private:
    /// Stands in front of every block; `next` is used only while the block is free.
    struct Block {
        std::size_t size; // with this header, a multiple of `alignment`
        std::uintptr_t magic;
        Block* next;
    };
    static constexpr std::size_t header_size = 16; // size and magic

    Block* first_ = nullptr; // free blocks, ascending addresses, no two adjacent
    std::uintptr_t low_ = 0;
    std::uintptr_t high_ = 0;
    std::size_t used_ = 0;
    std::size_t total_ = 0;
};

} // namespace rm
