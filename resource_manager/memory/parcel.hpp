// SPDX-License-Identifier: BSD-3-Clause
// A memory parcel: memory that the primary VM shares with, or lends to, other VMs.
#pragma once

#include "calls/capability.hpp"
#include "log/refusal.hpp"
#include "memory/ram_map.hpp"

#include <runtime/intrusive_list.hpp>

namespace rm {

struct AclEntry {
    std::uint16_t vmid;
    std::uint8_t access; // GH_ACCESS_* bits
};

struct ParcelTag;

/// Life: receiving (MEM_SHARE with APPEND) -> complete -> in use by a VM from its VM_INIT to its
/// reset -> reclaimed. Shared memory stays the primary VM's; lent memory belongs to extents of
/// this parcel and is out of the primary VM's address space.
class Parcel : public rt::ListNode<ParcelTag> {
public:
    enum class Kind { share, lend };

    /// Bytes that one hypercall maps, unmaps or moves at most: interrupts are masked meanwhile.
    static constexpr std::uint64_t piece_size_max = 16U << 20;

    Parcel(Kind a_kind, std::uint32_t a_handle, std::uint32_t a_label, std::uint32_t an_owner)
        : kind(a_kind), handle(a_handle), label(a_label), owner(an_owner) {}

    const Kind kind;
    const std::uint32_t handle;
    const std::uint32_t label;
    const std::uint32_t owner; // VMID
    bool complete = false;
    std::uint32_t user = 0; // VMID of the VM in whose address space it is; 0 = none
    Vector<AclEntry> acl;

    /// Adds memory, given in the owner's addresses. It must be page-aligned RAM of the primary VM.
    RmResult<> add(const Stage& stage, const RamMap& ram, Range range);

    /// Bytes.
    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Access that the VM has by the parcel's list; 0 when it is not on it.
    [[nodiscard]] unsigned access_of(std::uint32_t vmid) const;

    /// Only for lent parcels, when complete: takes the memory from the owner. Undoes itself on
    /// failure.
    RmResult<> take_from_owner(const Stage& stage, const Root& root, const RamMap& ram,
                               CapId owner_addrspace);
    /// Reverse: zeroes the memory and gives it back. A failure is logged; what could be given
    /// back was, and the rest stays with the parcel, which must then be kept.
    RmResult<> give_back(const Stage& stage, const Root& root, const RamMap& ram,
                         CapId owner_addrspace);
    /// Zeroes the memory where it is (MEM_RECLAIM with SANITIZE of a shared parcel).
    RmResult<> zero(const Stage& stage, const Root& root);

    /// The pieces of [offset, offset + size) of the parcel, in the extent that owns the memory
    /// now, appended to `pieces`. Offset and size are page aligned and within the parcel.
    RmResult<> pieces(const Stage& stage, std::uint64_t offset, std::uint64_t size,
                      Vector<ExtentPiece>& pieces) const;

    /// Maps all of it from `ipa` on; undoes itself on failure.
    RmResult<> map(const Stage& stage, const Root& root, CapId addrspace, std::uint64_t ipa,
                   unsigned access);
    void unmap(const Root& root, CapId addrspace, std::uint64_t ipa);

private:
    /// An extent of this parcel as large as the root extent, so that offsets are the same in both.
    struct LentExtent {
        CapId parent;
        Capability extent;
    };

    [[nodiscard]] ExtentPiece owned(const ExtentPiece& piece) const;
    void unmap_first(const Root& root, CapId addrspace, std::uint64_t ipa, std::size_t count);
    RmResult<> make_extents(const Stage& stage, const Root& root, const RamMap& ram);
    rt::Result<> lend_piece(const Root& root, const RamMap& ram, const ExtentPiece& piece,
                            CapId owner_addrspace);
    rt::Result<> return_piece(const Root& root, const RamMap& ram, const ExtentPiece& piece,
                              CapId owner_addrspace);

    Vector<ExtentPiece>
        pieces_; // in root extents; neighbours in a block of piece_size_max are merged
    std::uint64_t size_ = 0;
    Vector<LentExtent> lent_;
};

} // namespace rm
