// SPDX-License-Identifier: BSD-3-Clause
// The hypervisor's own pool of memory: a buddy allocator of 4 KiB pages.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyp {

/// Hands out blocks of 2^order pages, physically contiguous and naturally aligned.
///
/// Its bookkeeping lies in an array at the start of each range, never inside free pages, so that a
/// stray write to a freed page cannot damage it. Any CPU may call; the lock is a leaf.
class PageAllocator {
public:
    static constexpr unsigned max_order = 18; // 1 GiB: the ownership array of 1 TiB of RAM
    static constexpr std::size_t max_ranges = 8;

    PageAllocator() = default;
    PageAllocator(const PageAllocator&) = delete;
    PageAllocator& operator=(const PageAllocator&) = delete;

    /// Gives the allocator RAM that nothing else uses. Both arguments are multiples of a page.
    /// Errors: argument_alignment, argument_size (too small for its bookkeeping), no_resources.
    Result<> add_range(PhysAddr base, std::uint64_t size) RT_EXCLUDES(lock_);

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
        std::uint32_t next = none; // links of the free list of this range and order
        std::uint32_t previous = none;
        PageState state = PageState::inside_block;
        std::uint8_t order = 0;
    };
    struct PoolRange {
        std::uint64_t first_frame = 0; // physical address / page_size
        std::uint32_t frames = 0;
        PageInfo* info = nullptr;
        std::array<std::uint32_t, max_order + 1> free{};
    };

    static void push(PoolRange& range, std::uint32_t index, unsigned order);
    static void unlink(PoolRange& range, std::uint32_t index);
    static void insert_and_merge(PoolRange& range, std::uint32_t index, unsigned order);
    static void carve(PoolRange& range, std::uint32_t first);
    static std::uint32_t take(PoolRange& range, unsigned order);
    PoolRange* range_of(std::uint64_t frame) RT_REQUIRES(lock_);

    mutable Spinlock lock_;
    std::array<PoolRange, max_ranges> ranges_ RT_GUARDED_BY(lock_){};
    std::size_t range_count_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t used_ RT_GUARDED_BY(lock_) = 0;
    std::uint64_t total_ RT_GUARDED_BY(lock_) = 0;
};

/// The one pool of the hypervisor.
PageAllocator& page_allocator();

} // namespace hyp
