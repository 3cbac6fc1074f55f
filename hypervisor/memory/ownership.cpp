// SPDX-License-Identifier: BSD-3-Clause
// The ownership database: one 4-byte record per page of RAM.
#include "memory/ownership.hpp"

#include "heap/page_allocator.hpp"
#include "memory/carveouts.hpp"

#include <runtime/panic.hpp>

#include <algorithm>
#include <bit>
#include <new>

namespace hyp {

Ownership& ownership() {
    static constinit Ownership instance;
    return instance;
}

rt::Result<> Ownership::add_ram(PhysRange range) {
    if (!range.base.page_aligned() || !is_aligned(range.size, page_size)) {
        return rt::fail(rt::Error::argument_alignment);
    }
    const rt::LockGuard guard(lock_);
    if (region_count_ == max_regions) {
        return rt::fail(rt::Error::no_resources);
    }
    const auto end = regions_.begin() + static_cast<std::ptrdiff_t>(region_count_);
    if (range.size == 0 || std::any_of(regions_.begin(), end, [&](const Region& region) {
            return region.range.overlaps(range);
        })) {
        return rt::fail(rt::Error::argument_invalid);
    }
    const std::uint64_t pages = range.size >> page_shift;
    void* memory = page_allocator().allocate(PageAllocator::order_for(pages * sizeof(PageRecord)));
    if (memory == nullptr) {
        return rt::fail(rt::Error::no_memory);
    }
    if (auto added = carveouts().add(range); !added) {
        page_allocator().release(memory);
        return added;
    }
    auto* records = static_cast<PageRecord*>(memory);
    for (std::uint64_t i = 0; i < pages; ++i) {
        new (&records[i]) PageRecord();
    }
    *end = {range, records};
    ++region_count_;
    std::sort(regions_.begin(), end + 1,
              [](const Region& a, const Region& b) { return a.range.base < b.range.base; });
    return {};
}

/// The region that contains `address`, or else the next one above; nullptr: none.
const Ownership::Region* Ownership::region_from(PhysAddr address) const {
    for (std::size_t i = 0; i < region_count_; ++i) {
        if (address < regions_[i].range.end()) {
            return &regions_[i];
        }
    }
    return nullptr;
}

Ownership::PageRecord* Ownership::record(PhysAddr page) const {
    const Region* region = region_from(page);
    if (region == nullptr || page < region->range.base) {
        return nullptr;
    }
    return &region->pages[(page - region->range.base) >> page_shift];
}

/// The first of the records of a range whose pages all belong to `owner`.
rt::Result<Ownership::PageRecord*> Ownership::owned_records(PhysRange range, OwnerId owner) const {
    if (!range.base.page_aligned() || !is_aligned(range.size, page_size)) {
        return rt::fail(rt::Error::argument_alignment);
    }
    const Region* region = region_from(range.base);
    if (region == nullptr || !region->range.contains(range)) {
        return rt::fail(rt::Error::not_owner);
    }
    PageRecord* first = &region->pages[(range.base - region->range.base) >> page_shift];
    const bool owned = std::all_of(first, first + (range.size >> page_shift),
                                   [&](const PageRecord& page) { return page.owner == owner; });
    if (!owned) {
        return rt::fail(rt::Error::not_owner);
    }
    return first;
}

void Ownership::reserve(PhysRange range) {
    const rt::LockGuard guard(lock_);
    const PhysAddr end = {align_up(range.end().value, page_size)};
    for (PhysAddr page = range.base.page(); page < end; page += page_size) {
        if (PageRecord* found = record(page); found != nullptr) {
            rt::ensure(found->owner == OwnerId::partition, "reserving memory that is in use");
            found->owner = OwnerId::hypervisor;
        }
    }
}

bool Ownership::is_ram(PhysRange range) const {
    const rt::LockGuard guard(lock_);
    const Region* region = region_from(range.base);
    return region != nullptr && region->range.contains(range);
}

bool Ownership::has_one_owner(PhysRange range) const {
    const rt::LockGuard guard(lock_);
    const PageRecord* first = record(range.base);
    return first != nullptr && owned_records(range, first->owner).has_value();
}

rt::Result<OwnerId> Ownership::allocate_id() {
    const rt::LockGuard guard(lock_);
    ids_in_use_[0] |= 3; // hypervisor and partition
    for (std::size_t i = 0; i < ids_in_use_.size(); ++i) {
        const std::size_t word = (id_hint_ + i) % ids_in_use_.size();
        const int bit = std::countr_one(ids_in_use_[word]);
        if (bit < 64) {
            ids_in_use_[word] |= std::uint64_t{1} << bit;
            id_hint_ = word;
            return static_cast<OwnerId>(word * 64 + static_cast<std::size_t>(bit));
        }
    }
    return rt::fail(rt::Error::no_resources);
}

void Ownership::release_id(OwnerId id) {
    const rt::LockGuard guard(lock_);
    const auto number = static_cast<std::size_t>(id);
    ids_in_use_[number / 64] &= ~(std::uint64_t{1} << (number % 64));
}

rt::Result<> Ownership::transfer(PhysRange range, OwnerId from, OwnerId to, TouchMark mark) {
    const rt::LockGuard guard(lock_);
    auto first = owned_records(range, from);
    if (!first) {
        return rt::fail(first.error());
    }
    PageRecord* const end = *first + (range.size >> page_shift);
    if (std::any_of(*first, end, [](const PageRecord& page) { return page.mapped(); })) {
        return rt::fail(rt::Error::busy);
    }
    for (PageRecord* page = *first; page != end; ++page) {
        page->owner = to;
        if (mark != TouchMark::keep) {
            page->mappings = mark == TouchMark::set ? touched_bit : 0;
        }
    }
    return {};
}

rt::Result<> Ownership::add_mappings(PhysRange range, OwnerId owner) {
    const rt::LockGuard guard(lock_);
    auto first = owned_records(range, owner);
    if (!first) {
        return rt::fail(first.error());
    }
    PageRecord* const end = *first + (range.size >> page_shift);
    if (std::any_of(*first, end, [](const PageRecord& page) {
            return (page.mappings | touched_bit) == 0xffff;
        })) {
        return rt::fail(rt::Error::mappings_full);
    }
    for (PageRecord* page = *first; page != end; ++page) {
        page->mappings = static_cast<std::uint16_t>((page->mappings + 1) | touched_bit);
    }
    return {};
}

void Ownership::remove_mappings(PhysRange range) {
    const rt::LockGuard guard(lock_);
    PhysAddr page = range.base;
    while (page < range.end()) {
        const Region* region = region_from(page);
        if (region == nullptr || region->range.base >= range.end()) {
            return;
        }
        page = std::max(page, region->range.base);
        const PhysAddr end = std::min(range.end(), region->range.end());
        PageRecord* found = &region->pages[(page - region->range.base) >> page_shift];
        for (; page < end; page += page_size, ++found) {
            rt::ensure(found->mapped(), "more unmappings than mappings of a page");
            --found->mappings;
        }
    }
}

/// The first run of pages of `owner` whose records are all `same` as its first.
template <typename Same>
PhysRange Ownership::find_run(PhysRange range, OwnerId owner, Same same) const {
    PhysAddr page = range.base;
    while (const Region* region = region_from(page)) {
        page = std::max(page, region->range.base);
        const PhysAddr end = std::min(range.end(), region->range.end());
        if (page >= range.end()) {
            break;
        }
        const PageRecord* const base = region->pages;
        const auto index = [&](PhysAddr at) { return (at - region->range.base) >> page_shift; };
        const PageRecord* const stop = base + index(end);
        const PageRecord* const first =
            std::find_if(base + index(page), stop,
                         [&](const PageRecord& record) { return record.owner == owner; });
        if (first != stop) {
            const PageRecord* const last = std::find_if(first, stop, [&](const PageRecord& record) {
                return record.owner != owner || !same(*first, record);
            });
            return {region->range.base + (static_cast<std::uint64_t>(first - base) << page_shift),
                    static_cast<std::uint64_t>(last - first) << page_shift};
        }
        page = region->range.end();
    }
    return {};
}

PhysRange Ownership::first_owned(PhysRange range, OwnerId owner) const {
    const rt::LockGuard guard(lock_);
    return find_run(range, owner, [](const PageRecord&, const PageRecord&) { return true; });
}

Ownership::Run Ownership::first_run(PhysRange range, OwnerId owner) const {
    const rt::LockGuard guard(lock_);
    Run run;
    run.range = find_run(range, owner, [](const PageRecord& a, const PageRecord& b) {
        return a.mapped() == b.mapped() && a.touched() == b.touched();
    });
    if (run.range.size != 0) {
        const PageRecord* first = record(run.range.base);
        run.touched = first->touched();
        run.mapped = first->mapped();
    }
    return run;
}

OwnerId Ownership::owner_of(PhysAddr page) const {
    const rt::LockGuard guard(lock_);
    const PageRecord* found = record(page);
    return found == nullptr ? OwnerId::hypervisor : found->owner;
}

unsigned Ownership::mappings_of(PhysAddr page) const {
    const rt::LockGuard guard(lock_);
    const PageRecord* found = record(page);
    return found == nullptr ? 0 : static_cast<unsigned>(found->mappings & ~touched_bit);
}

void Ownership::clear() {
    const rt::LockGuard guard(lock_);
    for (std::size_t i = 0; i < region_count_; ++i) {
        page_allocator().release(regions_[i].pages);
    }
    region_count_ = 0;
    ids_in_use_.fill(0);
    id_hint_ = 0;
}

} // namespace hyp
