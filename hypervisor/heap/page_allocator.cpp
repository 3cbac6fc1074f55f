// SPDX-License-Identifier: BSD-3-Clause
// The buddy algorithm: a block's neighbour of the same order is found by flipping one address bit.
#include "heap/page_allocator.hpp"

#include <arch/cache.hpp>
#include <arch/physmap.hpp>
#include <arch/poison.hpp>
#include <runtime/panic.hpp>

#include <algorithm>
#include <bit>
#include <new>

namespace hyp {

PageAllocator& page_allocator() {
    static constinit PageAllocator instance;
    return instance;
}

unsigned PageAllocator::order_for(std::uint64_t size) {
    const std::uint64_t pages = (size - 1) >> page_shift;
    return pages == 0 ? 0 : static_cast<unsigned>(std::bit_width(pages));
}

Result<> PageAllocator::add_range(PhysAddr base, std::uint64_t size) {
    const LockGuard guard(lock_);
    RT_FAIL_IF(!base.page_aligned() || !is_aligned(size, page_size), Error::argument_alignment);
    RT_FAIL_IF(range_count_ == max_ranges, Error::no_resources);
    const std::uint64_t frames = size >> page_shift;
    const std::uint64_t info_pages = align_up(frames * sizeof(PageInfo), page_size) >> page_shift;
    RT_FAIL_IF(frames >= none || info_pages >= frames, Error::argument_size);
    PoolRange& range = ranges_[range_count_++];
    range.first_frame = base.value >> page_shift;
    range.frames = static_cast<std::uint32_t>(frames);
    range.info = static_cast<PageInfo*>(phys_to_virt(base));
    range.free.fill(none);
    for (std::uint64_t index = 0; index < frames; ++index) {
        new (&range.info[index]) PageInfo();
    }
    carve(range, static_cast<std::uint32_t>(info_pages));
    total_ += frames - info_pages;
    poison(phys_to_virt(base + (info_pages << page_shift)), (frames - info_pages) << page_shift);
    return {};
}

/// Cuts [first, end of range) into the largest naturally aligned blocks.
void PageAllocator::carve(PoolRange& range, std::uint32_t first) {
    std::uint32_t index = first;
    while (index < range.frames) {
        const auto alignment = static_cast<unsigned>(std::countr_zero(range.first_frame + index));
        const auto fits = static_cast<unsigned>(std::bit_width(range.frames - index)) - 1;
        const unsigned order = std::min({alignment, fits, max_order});
        push(range, index, order);
        index += std::uint32_t{1} << order;
    }
}

void PageAllocator::push(PoolRange& range, std::uint32_t index, unsigned order) {
    PageInfo& info = range.info[index];
    info.state = PageState::free_head;
    info.order = static_cast<std::uint8_t>(order);
    info.previous = none;
    info.next = range.free[order];
    if (info.next != none) {
        range.info[info.next].previous = index;
    }
    range.free[order] = index;
}

void PageAllocator::unlink(PoolRange& range, std::uint32_t index) {
    PageInfo& info = range.info[index];
    if (info.next != none) {
        range.info[info.next].previous = info.previous;
    }
    if (info.previous != none) {
        range.info[info.previous].next = info.next;
    } else {
        range.free[info.order] = info.next;
    }
    info.state = PageState::inside_block;
}

void PageAllocator::insert_and_merge(PoolRange& range, std::uint32_t index, unsigned order) {
    while (order < max_order) {
        const std::uint64_t buddy = (range.first_frame + index) ^ (std::uint64_t{1} << order);
        if (buddy < range.first_frame || buddy - range.first_frame >= range.frames) {
            break;
        }
        const auto other = static_cast<std::uint32_t>(buddy - range.first_frame);
        const PageInfo& info = range.info[other];
        if (info.state != PageState::free_head || info.order != order) {
            break;
        }
        unlink(range, other);
        index = std::min(index, other);
        ++order;
    }
    push(range, index, order);
}

/// Index of a block of this order, split from a larger one if need be; `none` if there is none.
std::uint32_t PageAllocator::take(PoolRange& range, unsigned order) {
    unsigned found = order;
    while (found <= max_order && range.free[found] == none) {
        ++found;
    }
    if (found > max_order) {
        return none;
    }
    const std::uint32_t index = range.free[found];
    unlink(range, index);
    while (found > order) {
        --found;
        push(range, index + (std::uint32_t{1} << found), found);
    }
    range.info[index].state = PageState::used_head;
    range.info[index].order = static_cast<std::uint8_t>(order);
    return index;
}

void* PageAllocator::allocate(unsigned order) {
    if (order > max_order) {
        return nullptr;
    }
    const LockGuard guard(lock_);
    for (std::size_t i = 0; i < range_count_; ++i) {
        PoolRange& range = ranges_[i];
        if (const std::uint32_t index = take(range, order); index != none) {
            used_ += std::uint64_t{1} << order;
            void* block = phys_to_virt(PhysAddr{(range.first_frame + index) << page_shift});
            unpoison(block, page_size << order);
            return block;
        }
    }
    return nullptr;
}

void* PageAllocator::allocate_zeroed(unsigned order) {
    void* block = allocate(order);
    if (block != nullptr) {
        zero_pages(block, page_size << order);
    }
    return block;
}

void PageAllocator::release(void* block) {
    const LockGuard guard(lock_);
    const PhysAddr address = virt_to_phys(block);
    PoolRange* range = range_of(address.value >> page_shift);
    rt::ensure(range != nullptr && address.page_aligned(), "release of a page not from the pool");
    const auto index =
        static_cast<std::uint32_t>((address.value >> page_shift) - range->first_frame);
    rt::ensure(range->info[index].state == PageState::used_head, "release of a free page");
    const unsigned order = range->info[index].order;
    poison(block, page_size << order);
    used_ -= std::uint64_t{1} << order;
    range->info[index].state = PageState::inside_block;
    insert_and_merge(*range, index, order);
}

PageAllocator::PoolRange* PageAllocator::range_of(std::uint64_t frame) {
    for (std::size_t i = 0; i < range_count_; ++i) {
        PoolRange& range = ranges_[i];
        if (frame >= range.first_frame && frame - range.first_frame < range.frames) {
            return &range;
        }
    }
    return nullptr;
}

std::uint64_t PageAllocator::used_pages() const {
    const LockGuard guard(lock_);
    return used_;
}

std::uint64_t PageAllocator::total_pages() const {
    const LockGuard guard(lock_);
    return total_;
}

} // namespace hyp
