// SPDX-License-Identifier: BSD-3-Clause
// The hypervisor's own pool of memory: a buddy allocator of 4 KiB pages.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"

#include <array>
#include <cstdint>

namespace hyp {

/// Hands out blocks of 2^order pages, physically contiguous and naturally aligned.
///
/// Its bookkeeping lies in an array at the start of the pool, never inside free pages, so that a
/// stray write to a freed page cannot damage it. Any CPU may call; the lock is a leaf.
class PageAllocator {
public:
    static constexpr unsigned max_order = 18; // 1 GiB: the ownership array of 1 TiB of RAM

    constexpr PageAllocator() { free_.fill(none); }
    PageAllocator(const PageAllocator&) = delete;
    PageAllocator& operator=(const PageAllocator&) = delete;

    /// Gives the allocator its RAM, once. Both arguments are multiples of a page. Errors:
    /// argument_alignment, argument_size (too small for its bookkeeping), no_resources (has one).
    Result<> set_pool(PhysAddr base, std::uint64_t size) RT_EXCLUDES(lock_);

    /// The EL2 address of 2^order pages with undefined content, or nullptr.
    [[nodiscard]] void* allocate(unsigned order) RT_EXCLUDES(lock_);
    /// The same, filled with zeros.
    [[nodiscard]] void* allocate_zeroed(unsigned order) RT_EXCLUDES(lock_);
    /// Takes back what allocate gave. A wrong pointer or a second release panics.
    void release(void* block) RT_EXCLUDES(lock_);

    /// 4 KiB pages; `total` leaves the bookkeeping out.
    [[nodiscard]] std::uint64_t used_pages() const RT_EXCLUDES(lock_);
    [[nodiscard]] std::uint64_t total_pages() const RT_EXCLUDES(lock_);

    /// Smallest order whose block holds `size` bytes (size > 0).
    static unsigned order_for(std::uint64_t size);

private:
    static constexpr std::uint32_t none = 0xffffffff;
    enum class PageState : std::uint8_t { inside_block, free_head, used_head };
    struct PageInfo {
        std::uint32_t next = none; // links of the free list of this order
        std::uint32_t previous = none;
        PageState state = PageState::inside_block;
        std::uint8_t order = 0;
    };

    void push(std::uint32_t index, unsigned order) RT_REQUIRES(lock_);
    void unlink(std::uint32_t index) RT_REQUIRES(lock_);
    void insert_and_merge(std::uint32_t index, unsigned order) RT_REQUIRES(lock_);
    void carve(std::uint32_t first) RT_REQUIRES(lock_);
    std::uint32_t take(unsigned order) RT_REQUIRES(lock_);

    mutable Spinlock lock_;
    std::uint64_t first_frame_ RT_GUARDED_BY(lock_) = 0; // physical address / page_size
    std::uint32_t frames_ RT_GUARDED_BY(lock_) = 0;
    PageInfo* info_ RT_GUARDED_BY(lock_) = nullptr;
    std::array<std::uint32_t, max_order + 1> free_ RT_GUARDED_BY(lock_){}; // heads, by order
    std::uint64_t used_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t total_ RT_GUARDED_BY(lock_) = 0;
};

/// The one pool of the hypervisor.
PageAllocator& page_allocator();

} // namespace hyp
