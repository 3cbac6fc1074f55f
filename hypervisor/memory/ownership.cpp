// SPDX-License-Identifier: BSD-3-Clause
// The ownership database: one 4-byte record per page of RAM, or per 2 MiB where pages are alike.
#include "memory/ownership.hpp"

#include "heap/page_allocator.hpp"
#include "memory/carveouts.hpp"

#include <runtime/panic.hpp>

#include <algorithm>
#include <bit>
#include <memory>

namespace hyp {

constinit Ownership the_ownership;

namespace {

constexpr std::uint64_t block_size = 2u << 20;

PhysAddr block_of(PhysAddr page) {
    return {align_down(page.value, block_size)};
}

} // namespace

Result<> Ownership::add_ram(PhysRange range) {
    RT_FAIL_IF(!range.base.page_aligned() || !is_aligned(range.size, page_size),
               Error::argument_alignment);
    const LockGuard guard(lock_);
    RT_FAIL_IF(region_count_ == max_regions, Error::no_resources);
    const auto end = regions_.begin() + static_cast<std::ptrdiff_t>(region_count_);
    if (range.size == 0 || std::any_of(regions_.begin(), end, [&](const Region& region) {
            return region.range.overlaps(range);
        })) {
        return fail(Error::argument_invalid);
    }
    const std::uint64_t pages = range.size >> page_shift;
    const std::uint64_t blocks =
        (align_up(range.end().value, block_size) - block_of(range.base).value) / block_size;
    void* records = page_allocator().allocate(PageAllocator::order_for(pages * sizeof(PageRecord)));
    void* heads = page_allocator().allocate(PageAllocator::order_for(blocks * sizeof(Block)));
    const auto added = records != nullptr && heads != nullptr ? carveouts().add(range)
                                                              : Result<>(fail(Error::no_memory));
    if (!added) {
        for (void* memory : {records, heads}) {
            if (memory != nullptr) {
                page_allocator().release(memory);
            }
        }
        return added;
    }
    std::uninitialized_default_construct_n(static_cast<Block*>(heads), blocks);
    std::size_t place = region_count_++;
    for (; place != 0 && range.base < regions_[place - 1].range.base; --place) {
        regions_[place] = regions_[place - 1];
    }
    regions_[place] = {range, static_cast<PageRecord*>(records), static_cast<Block*>(heads)};
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

inline Ownership::Block& Ownership::Region::block_at(PhysAddr page) const {
    return blocks[(page - block_of(range.base)) / block_size];
}

/// What of the block of `page` lies in the region.
PhysRange Ownership::Region::pages_of_block(PhysAddr page) const {
    const PhysAddr base = std::max(block_of(page), range.base);
    return {base, end_of_block(page) - base};
}

inline PhysAddr Ownership::Region::end_of_block(PhysAddr page) const {
    return std::min(block_of(page) + block_size, range.end());
}

inline Ownership::Piece Ownership::piece_at(const Region& region, PhysAddr page) {
    Block& block = region.block_at(page);
    return block.split != 0 ? Piece{region.page_at(page), page + page_size}
                            : Piece{&block.all, region.end_of_block(page)};
}

/// Gives each page of a block its own record.
void Ownership::split(const Region& region, PhysAddr page) {
    Block& block = region.block_at(page);
    if (block.split == 0) {
        const PhysRange pages = region.pages_of_block(page);
        std::uninitialized_fill_n(region.page_at(pages.base), pages.size >> page_shift, block.all);
        block.split = 1;
    }
}

Ownership::PageRecord* Ownership::record(PhysAddr page) const {
    const Region* region = region_from(page);
    return region == nullptr || page < region->range.base ? nullptr
                                                          : piece_at(*region, page).record;
}

/// `range` lies in `region`.
template <typename Test>
bool Ownership::all_of(const Region& region, PhysRange range, Test test) {
    for (PhysAddr page = range.base; page < range.end();) {
        const Piece piece = piece_at(region, page);
        if (!test(*piece.record)) {
            return false;
        }
        page = piece.end;
    }
    return true;
}

/// Changes all records of a range in `region`; a block of which only a part changes is split.
template <typename Change>
void Ownership::change(const Region& region, PhysRange range, Change change) {
    const PhysAddr end = range.end();
    for (PhysAddr page = range.base; page < end;) {
        const bool from_start = page == block_of(page) || page == region.range.base;
        if (!from_start || region.end_of_block(page) > end) {
            split(region, page);
        }
        const Piece piece = piece_at(region, page);
        change(*piece.record);
        page = piece.end;
    }
}

/// Forgets the pages' own records of every block that lies in `range`; the caller changes them to
/// be alike.
void Ownership::join_blocks(const Region& region, PhysRange range) {
    for (PhysAddr page = range.base; page < range.end();) {
        const PhysRange pages = region.pages_of_block(page);
        if (range.contains(pages)) {
            region.block_at(page).split = 0;
        }
        page = pages.end();
    }
}

/// The region of a range whose pages all belong to `owner`.
Result<const Ownership::Region*> Ownership::region_owned(PhysRange range, OwnerId owner) const {
    RT_FAIL_IF(!range.base.page_aligned() || !is_aligned(range.size, page_size),
               Error::argument_alignment);
    const Region* region = region_from(range.base);
    const auto is_owners = [&](const PageRecord& page) { return page.owner == owner; };
    RT_FAIL_IF(region == nullptr || !region->range.contains(range) ||
                   !all_of(*region, range, is_owners),
               Error::not_owner);
    return region;
}

/// Changes all records of the RAM in a range.
template <typename Change>
void Ownership::change_ram(PhysRange range, Change change_record) const {
    PhysAddr page = range.base;
    while (const Region* region = region_from(page)) {
        page = std::max(page, region->range.base);
        if (page >= range.end()) {
            return;
        }
        const PhysAddr stop = std::min(range.end(), region->range.end());
        change(*region, {page, stop - page}, change_record);
        page = stop;
    }
}

void Ownership::reserve(PhysRange range) {
    const LockGuard guard(lock_);
    const PhysAddr base = range.base.page();
    change_ram({base, align_up(range.end().value, page_size) - base.value}, [](PageRecord& record) {
        rt::ensure(record.owner == OwnerId::partition, "reserving memory that is in use");
        record.owner = OwnerId::hypervisor;
    });
}

bool Ownership::has_one_owner(PhysRange range) const {
    const LockGuard guard(lock_);
    const PageRecord* first = record(range.base);
    return first != nullptr && region_owned(range, first->owner).has_value();
}

Result<OwnerId> Ownership::allocate_id() {
    const LockGuard guard(lock_);
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
    return fail(Error::no_resources);
}

void Ownership::release_id(OwnerId id) {
    const LockGuard guard(lock_);
    const auto number = static_cast<std::size_t>(id);
    ids_in_use_[number / 64] &= ~(std::uint64_t{1} << (number % 64));
}

Result<> Ownership::transfer(PhysRange range, OwnerId from, OwnerId to, TouchMark mark) {
    const LockGuard guard(lock_);
    const auto region = RT_TRY(region_owned(range, from));
    if (!all_of(*region, range, [](const PageRecord& page) { return !page.mapped(); })) {
        return fail(Error::busy);
    }
    if (mark != TouchMark::keep) {
        join_blocks(*region, range);
    }
    change(*region, range, [&](PageRecord& page) {
        page.owner = to;
        if (mark != TouchMark::keep) {
            page.mappings = mark == TouchMark::set ? touched_bit : 0;
        }
    });
    return {};
}

Result<> Ownership::add_mappings(PhysRange range, OwnerId owner) {
    const LockGuard guard(lock_);
    const auto region = RT_TRY(region_owned(range, owner));
    if (!all_of(*region, range,
                [](const PageRecord& page) { return (page.mappings | touched_bit) != 0xffff; })) {
        return fail(Error::mappings_full);
    }
    change(*region, range, [](PageRecord& page) {
        page.mappings = static_cast<std::uint16_t>((page.mappings + 1) | touched_bit);
    });
    return {};
}

void Ownership::remove_mappings(PhysRange range) {
    const LockGuard guard(lock_);
    change_ram(range, [](PageRecord& record) {
        rt::ensure(record.mapped(), "more unmappings than mappings of a page");
        --record.mappings;
    });
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
        while (page < end && piece_at(*region, page).record->owner != owner) {
            page = piece_at(*region, page).end;
        }
        if (page < end) {
            const PageRecord first = *piece_at(*region, page).record;
            PhysAddr last = page;
            while (last < end) {
                const Piece piece = piece_at(*region, last);
                if (piece.record->owner != owner || !same(first, *piece.record)) {
                    break;
                }
                last = piece.end;
            }
            return {page, std::min(last, end) - page};
        }
        page = region->range.end();
    }
    return {};
}

PhysRange Ownership::first_owned(PhysRange range, OwnerId owner) const {
    const LockGuard guard(lock_);
    return find_run(range, owner, [](const PageRecord&, const PageRecord&) { return true; });
}

Ownership::Run Ownership::first_run(PhysRange range, OwnerId owner) const {
    const LockGuard guard(lock_);
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
    const LockGuard guard(lock_);
    const PageRecord* found = record(page);
    return found == nullptr ? OwnerId::hypervisor : found->owner;
}

unsigned Ownership::mappings_of(PhysAddr page) const {
    const LockGuard guard(lock_);
    const PageRecord* found = record(page);
    return found == nullptr ? 0 : static_cast<unsigned>(found->mappings & ~touched_bit);
}

void Ownership::clear() {
    const LockGuard guard(lock_);
    for (std::size_t i = 0; i < region_count_; ++i) {
        page_allocator().release(regions_[i].pages);
        page_allocator().release(regions_[i].blocks);
    }
    region_count_ = 0;
    ids_in_use_.fill(0);
    id_hint_ = 0;
}

} // namespace hyp
