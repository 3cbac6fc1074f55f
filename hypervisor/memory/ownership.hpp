// SPDX-License-Identifier: BSD-3-Clause
// The truth about RAM: who owns each page, and how many stage-2 entries point at it.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyp {

/// Who owns a page: the hypervisor, a partition (memory in no extent), or a memory extent.
enum class OwnerId : std::uint16_t { hypervisor = 0, partition = 1, first_extent = 2 };

/// What a transfer does to the mark "a VM may have written to this page under its owner".
enum class TouchMark : std::uint8_t {
    clear, ///< to a child: from now on the mark is about the child
    keep,  ///< between siblings
    set,   ///< back to a parent, about whose own use nothing is known any more
};

/// Invariants:
///  - every page of RAM has exactly one owner at any time;
///  - a page that some address space maps does not change owner;
///  - only pages whose owner is an extent are mapped.
/// Operations are all-or-nothing over their range. Ranges are page-aligned, else
/// argument_alignment; a page that is no RAM counts as not owned.
///
/// The pages of a block of 2 MiB share one record as long as they are alike. The room for a record
/// of each page is there from the start, but is written when an operation first treats the pages
/// of the block differently, so that no operation can run out of memory and boot costs little.
///
/// Lock: below an address space's lock, above the heap's.
class Ownership {
public:
    static constexpr std::size_t max_regions = 16;

    /// Boot only: makes a range of RAM known, owned by the partition, and a carve-out. Takes
    /// memory for 4 bytes per page and 6 per 2 MiB, a power of two each. Errors: no_memory,
    /// no_resources, argument_alignment, argument_invalid (overlap, empty).
    Result<> add_ram(PhysRange range) RT_EXCLUDES(lock_);
    /// Boot only: takes the RAM pages of a range from the partition for the hypervisor, forever.
    /// Parts that are no RAM are left out.
    void reserve(PhysRange range) RT_EXCLUDES(lock_);

    /// True if all of it is known RAM within one region.
    /// Without the lock: after boot the regions stay as they are.
    [[nodiscard]] bool is_ram(PhysRange range) const RT_NO_ANALYSIS {
        for (std::size_t i = 0; i < region_count_; ++i) {
            if (regions_[i].range.contains(range)) {
                return true;
            }
        }
        return false;
    }

    /// True if all of it is RAM of one owner.
    [[nodiscard]] bool has_one_owner(PhysRange range) const RT_EXCLUDES(lock_);

    /// An id for a new extent, never one in use. Error: no_resources (65,534 at once).
    Result<OwnerId> allocate_id() RT_EXCLUDES(lock_);
    /// The extent owns nothing any more.
    void release_id(OwnerId id) RT_EXCLUDES(lock_);

    /// Gives pages from one owner to another. Errors: not_owner, busy (a page is mapped).
    Result<> transfer(PhysRange range, OwnerId from, OwnerId to, TouchMark mark) RT_EXCLUDES(lock_);
    /// Counts one more mapping of each page, and marks it as touched. While it counts, the owner
    /// cannot change. Errors: not_owner, mappings_full (32,767 of a page).
    Result<> add_mappings(PhysRange range, OwnerId owner) RT_EXCLUDES(lock_);
    /// Counts one mapping less of each page that is RAM; call when no CPU can use it any more.
    void remove_mappings(PhysRange range) RT_EXCLUDES(lock_);

    /// The first run of pages in `range` that `owner` has, as long as possible; size 0: none.
    [[nodiscard]] PhysRange first_owned(PhysRange range, OwnerId owner) const RT_EXCLUDES(lock_);
    struct Run {
        PhysRange range;
        bool touched = false; // some VM may have written to it
        bool mapped = false;  // some address space maps it now
    };
    /// The same, cut where `touched` or `mapped` changes.
    [[nodiscard]] Run first_run(PhysRange range, OwnerId owner) const RT_EXCLUDES(lock_);
    /// Owner of one page (hypervisor if it is no RAM); number of mappings of it.
    [[nodiscard]] OwnerId owner_of(PhysAddr page) const RT_EXCLUDES(lock_);
    [[nodiscard]] unsigned mappings_of(PhysAddr page) const RT_EXCLUDES(lock_);

    /// Host tests start from nothing; the arrays go back to the page allocator.
    void clear() RT_EXCLUDES(lock_);

private:
    struct PageRecord {
        OwnerId owner = OwnerId::partition;
        std::uint16_t mappings = 0; // bit 15: the touch mark

        [[nodiscard]] bool mapped() const { return (mappings & ~touched_bit) != 0; }
        [[nodiscard]] bool touched() const { return (mappings & touched_bit) != 0; }
    };
    static_assert(sizeof(PageRecord) == 4);
    static constexpr std::uint16_t touched_bit = 0x8000;
    struct Block {
        PageRecord all; // of each page, unless split
        std::uint16_t split = 0;
    };
    struct Region {
        PhysRange range;
        PageRecord* pages = nullptr; // from range.base on; content undefined where not split
        Block* blocks = nullptr;     // from the block of range.base on

        [[nodiscard]] PageRecord* page_at(PhysAddr page) const {
            return &pages[(page - range.base) >> page_shift];
        }
        [[nodiscard]] Block& block_at(PhysAddr page) const;
        [[nodiscard]] PhysRange pages_of_block(PhysAddr page) const;
        [[nodiscard]] PhysAddr end_of_block(PhysAddr page) const;
    };
    /// The longest stretch from `page` on that one record describes.
    struct Piece {
        PageRecord* record;
        PhysAddr end;
    };

    const Region* region_from(PhysAddr address) const RT_REQUIRES(lock_);
    static Piece piece_at(const Region& region, PhysAddr page);
    static void split(const Region& region, PhysAddr page);
    static void join_blocks(const Region& region, PhysRange range);
    PageRecord* record(PhysAddr page) const RT_REQUIRES(lock_);
    Result<const Region*> region_owned(PhysRange range, OwnerId owner) const RT_REQUIRES(lock_);
    template <typename Test>
    static bool all_of(const Region& region, PhysRange range, Test test);
    template <typename Change>
    static void change(const Region& region, PhysRange range, Change change);
    template <typename Change>
    void change_ram(PhysRange range, Change change_record) const RT_REQUIRES(lock_);
    template <typename Same>
    PhysRange find_run(PhysRange range, OwnerId owner, Same same) const RT_REQUIRES(lock_);

    mutable Spinlock lock_;
    std::array<Region, max_regions> regions_ RT_GUARDED_BY(lock_){}; // sorted by base
    std::size_t region_count_ RT_GUARDED_BY(lock_) = 0;
    std::array<std::uint64_t, 1024> ids_in_use_ RT_GUARDED_BY(lock_){};
    std::size_t id_hint_ RT_GUARDED_BY(lock_) = 0; // word of ids_in_use_ to try first
};

/// The one ownership database.
extern constinit Ownership the_ownership;
inline Ownership& ownership() {
    return the_ownership;
}

} // namespace hyp
