// SPDX-License-Identifier: BSD-3-Clause
// The stage-2 translation tables of one VM (Arm ARM D8): 4 KiB granule, up to 48-bit IPAs.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"
#include "memory/memory_attributes.hpp"
#include "object/object.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace hyp {

/// Not thread-safe: the owner (AddressSpace) holds its lock around every call but vttbr()/vtcr().
///
/// Every change is all-or-nothing: the tables it may need are taken from the pool first. Entries
/// change by break-before-make (Arm ARM D8.14), invalid -> valid without. When a call returns, no
/// TLB holds a translation that it removed. Tables that become empty go back to the pool; a table
/// that becomes uniform turns into a block again, if the owner's policy allows it. So the number of
/// tables depends only on what is mapped, not on the way there.
class Stage2 {
public:
    struct Mapping {
        Ipa ipa; // of the entry, not of the address looked up
        PhysAddr phys;
        std::uint64_t size = 0; // 4 KiB, 2 MiB or 1 GiB
        MapAttributes attributes;
    };
    /// Sees each valid leaf entry in ascending order; returns false to stop.
    class LeafVisitor {
    public:
        virtual bool visit(const Mapping& leaf) = 0;

    protected:
        ~LeafVisitor() = default;
    };

    Stage2() = default;
    Stage2(const Stage2&) = delete;
    Stage2& operator=(const Stage2&) = delete;
    ~Stage2();

    /// May entries that map this range, contiguous and alike, become one block?
    using JoinPolicy = bool (*)(PhysRange);
    /// Makes empty tables for a hardware VMID (1..255). Tables count to `owner`. Error: no_memory.
    Result<> create(std::uint8_t hardware_vmid, JoinPolicy may_join, Object* owner = nullptr);
    /// Frees all tables after a TLB invalidation; mappings are just forgotten.
    void destroy();

    struct Run {
        Ipa ipa;
        PhysRange phys;
    };
    /// Maps each run, all of them or none. Errors: argument_alignment, argument_size (zero),
    /// address_overflow (wraps), address_invalid (beyond the IPA or physical address width),
    /// existing_mapping, no_memory.
    Result<> map(std::span<const Run> runs, MapAttributes attributes);
    Result<> map(const Run& run, MapAttributes attributes) {
        return map(std::span(&run, 1), attributes);
    }
    /// Removes what is mapped in a range; holes are fine. `removed` sees each leaf entry that went,
    /// after the TLBs forgot it. Errors: as map, without existing_mapping.
    Result<> unmap(IpaRange range, LeafVisitor& removed);
    /// Changes the access of what is mapped in a range (the type stays). Errors: as unmap.
    Result<> protect(IpaRange range, Access kernel, Access user);

    /// The leaf entry that translates `ipa`.
    [[nodiscard]] std::optional<Mapping> lookup(Ipa ipa) const;
    /// Visits the leaf entries that overlap a range.
    void visit_leaves(IpaRange range, LeafVisitor& visitor) const;

    /// VTTBR_EL2 and VTCR_EL2 for this VM (VTCR is the same for all VMs).
    [[nodiscard]] std::uint64_t vttbr() const { return vttbr_; }
    static std::uint64_t vtcr();
    /// min(physical address width, 48), and the first address beyond it.
    static unsigned ipa_bits();
    static std::uint64_t ipa_limit() { return std::uint64_t{1} << ipa_bits(); }
    /// Not empty and within the IPAs, else argument_size, address_overflow or address_invalid.
    static Result<> check_range(IpaRange range);
    static IpaRange all() { return {Ipa{0}, ipa_limit()}; }

    /// 4 KiB pages in this VM's tables, the root's included; in all VMs' tables.
    [[nodiscard]] std::size_t table_pages() const { return table_pages_; }
    static std::uint64_t total_table_pages();

private:
    using Entry = std::uint64_t;
    friend class Stage2Change;

    void count_tables(std::int64_t change);
    [[nodiscard]] bool charge(std::uint64_t pages) {
        return owner_ == nullptr || owner_->charge(pages * page_size);
    }
    void refund(std::uint64_t pages) {
        if (owner_ != nullptr) {
            owner_->refund(pages * page_size);
        }
    }
    static Result<> check(IpaRange range);
    bool visit(const Entry* table, unsigned level, IpaRange range, LeafVisitor& visitor) const;

    Entry* root_ = nullptr;
    Object* owner_ = nullptr; // the address space; null: nobody counts
    JoinPolicy may_join_ = nullptr;
    std::uint64_t vttbr_ = 0;
    std::size_t table_pages_ = 0;
};

} // namespace hyp
