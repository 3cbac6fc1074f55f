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

Result<> PageAllocator::set_pool(PhysAddr base, std::uint64_t size) {
    const LockGuard guard(lock_);
    RT_FAIL_IF(frames_ != 0, Error::no_resources);
    RT_FAIL_IF(!base.page_aligned() || !is_aligned(size, page_size), Error::argument_alignment);
    const std::uint64_t frames = size >> page_shift;
    const std::uint64_t info_pages = align_up(frames * sizeof(PageInfo), page_size) >> page_shift;
    RT_FAIL_IF(frames >= none || info_pages >= frames, Error::argument_size);
    first_frame_ = base.value >> page_shift;
    frames_ = static_cast<std::uint32_t>(frames);
    info_ = static_cast<PageInfo*>(phys_to_virt(base));
    for (std::uint64_t index = 0; index < frames; ++index) {
        new (&info_[index]) PageInfo();
    }
    carve(static_cast<std::uint32_t>(info_pages));
    total_ = frames - info_pages;
    poison(phys_to_virt(base + (info_pages << page_shift)), total_ << page_shift);
    return {};
}

/// Cuts [first, end of the pool) into the largest naturally aligned blocks.
void PageAllocator::carve(std::uint32_t first) {
    std::uint32_t index = first;
    while (index < frames_) {
        const auto alignment = static_cast<unsigned>(std::countr_zero(first_frame_ + index));
        const auto fits = static_cast<unsigned>(std::bit_width(frames_ - index)) - 1;
        const unsigned order = std::min({alignment, fits, max_order});
        push(index, order);
        index += std::uint32_t{1} << order;
    }
}

void PageAllocator::push(std::uint32_t index, unsigned order) {
    PageInfo& info = info_[index];
    info.state = PageState::free_head;
    info.order = static_cast<std::uint8_t>(order);
    info.previous = none;
    info.next = free_[order];
    if (info.next != none) {
        info_[info.next].previous = index;
    }
    free_[order] = index;
}

void PageAllocator::unlink(std::uint32_t index) {
    PageInfo& info = info_[index];
    if (info.next != none) {
        info_[info.next].previous = info.previous;
    }
    if (info.previous != none) {
        info_[info.previous].next = info.next;
    } else {
        free_[info.order] = info.next;
    }
    info.state = PageState::inside_block;
}

void PageAllocator::insert_and_merge(std::uint32_t index, unsigned order) {
    while (order < max_order) {
        const std::uint64_t buddy = (first_frame_ + index) ^ (std::uint64_t{1} << order);
        const auto other = static_cast<std::uint32_t>(buddy - first_frame_);
        if (buddy < first_frame_ || other >= frames_ ||
            info_[other].state != PageState::free_head || info_[other].order != order) {
            break;
        }
        unlink(other);
        index = std::min(index, other);
        ++order;
    }
    push(index, order);
}

/// Index of a block of this order, split from a larger one if need be; `none` if there is none.
std::uint32_t PageAllocator::take(unsigned order) {
    unsigned found = order;
    while (found <= max_order && free_[found] == none) {
        ++found;
    }
    if (found > max_order) {
        return none;
    }
    const std::uint32_t index = free_[found];
    unlink(index);
    while (found > order) {
        --found;
        push(index + (std::uint32_t{1} << found), found);
    }
    info_[index].state = PageState::used_head;
    info_[index].order = static_cast<std::uint8_t>(order);
    return index;
}

void* PageAllocator::allocate(unsigned order) {
    if (order > max_order) {
        return nullptr;
    }
    const LockGuard guard(lock_);
    const std::uint32_t index = take(order);
    if (index == none) {
        return nullptr;
    }
    used_ += std::uint64_t{1} << order;
    void* block = phys_to_virt(PhysAddr{(first_frame_ + index) << page_shift});
    unpoison(block, page_size << order);
    return block;
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
    const std::uint64_t index = (address.value >> page_shift) - first_frame_;
    rt::ensure(index < frames_ && address.page_aligned(), "release of a page not from the pool");
    PageInfo& info = info_[index];
    rt::ensure(info.state == PageState::used_head, "release of a free page");
    const unsigned order = info.order;
    poison(block, page_size << order);
    used_ -= std::uint64_t{1} << order;
    info.state = PageState::inside_block;
    insert_and_merge(static_cast<std::uint32_t>(index), order);
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
