// SPDX-License-Identifier: BSD-3-Clause
// A memory extent: a range of physical memory that a capability gives rights to.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"
#include "memory/memory_attributes.hpp"
#include "memory/ownership.hpp"
#include "memory/partition.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"

#include <cstdint>

namespace hyp {

/// Two worlds, told apart by the range:
///  - RAM: pages are owned (see Ownership). A sparse extent owns whichever pages of its range were
///    given to it; a basic one owns its whole range while it is active.
///  - device memory: everything that is no RAM and no carve-out. Always basic; not owned page by
///    page: parent and derived extents may both be mapped, who may have what is the Resource
///    Manager's policy.
///
/// Offsets are relative to the extent's own base. The range is fixed by configuration; an active
/// extent has no mutable state of its own, hence no lock.
///
/// When the last reference goes, all mappings of it are removed. Pages of a derived extent go back
/// to the parent, those of another to the partition: zeroed, unless no call ever asked to map
/// them while this extent owned them (then nobody but the previous owner could have written).
/// donate() on the other hand keeps the content: that is its purpose.
class MemExtent final : public Object {
public:
    static constexpr ObjectType type = ObjectType::memextent;
    enum class DonateTo : std::uint8_t { child, parent, sibling };

    MemExtent() : Object(type) {}

    /// A range that the partition owns (sparse: any part of it), or device memory (basic).
    /// Activation takes it. Device memory may contain carve-outs, RAM too: those parts are never
    /// mapped. Errors: argument_invalid (alignment, size, beyond physical addresses),
    /// object_state, memextent_type (sparse and not all RAM).
    Result<> configure(PhysAddr base, std::uint64_t size, ExtentAttributes attributes)
        RT_EXCLUDES(config_lock);
    /// The part of `parent` from `offset`, with no more rights than the parent. On activation a
    /// basic child of RAM takes the whole range from the parent; a sparse one starts with nothing.
    /// Errors: argument_invalid, object_state (also: parent not active), denied (more access or
    /// another memory type than the parent, a device range that touches a carve-out),
    /// memextent_type (RAM of a basic parent, sparse device memory).
    Result<> configure_derive(Ref<MemExtent> parent, std::uint64_t offset, std::uint64_t size,
                              ExtentAttributes attributes) RT_EXCLUDES(config_lock);

    /// Gives owned pages [offset, offset + size) of `from` to `to`, its child, parent or sibling;
    /// their content stays. Errors: argument_invalid (not related, outside of `to`),
    /// argument_size (zero, overflow), argument_alignment, memextent_type (not both sparse),
    /// object_state, not_owner, busy (still mapped somewhere).
    static Result<> donate(DonateTo direction, MemExtent& from, MemExtent& to, std::uint64_t offset,
                           std::uint64_t size);
    /// Between an extent that is not derived and the partition that it was made from; errors
    /// likewise, and no_memory (the partition needs its memory for objects).
    Result<> donate_to_partition(const Partition&, std::uint64_t offset, std::uint64_t size);
    Result<> accept_from_partition(const Partition&, std::uint64_t offset, std::uint64_t size);

    /// Removes it from all address spaces.
    Result<> unmap_all();
    /// For the owned pages of [offset, offset + size). Errors: argument_invalid (range, device
    /// memory), argument_alignment.
    Result<> zero(std::uint64_t offset, std::uint64_t size);
    Result<> clean_cache(std::uint64_t offset, std::uint64_t size);
    Result<> flush_cache(std::uint64_t offset, std::uint64_t size);

    // Fixed once active.
    [[nodiscard]] PhysRange range() const { return range_; }
    [[nodiscard]] bool is_ram() const { return is_ram_; }
    [[nodiscard]] bool is_sparse() const { return attributes_.kind == ExtentKind::sparse; }
    [[nodiscard]] const ExtentAttributes& attributes() const { return attributes_; }
    [[nodiscard]] OwnerId owner_id() const { return id_; }

    /// The first part of `within` that this extent may map: owned pages, or device memory outside
    /// the carve-outs. Size 0: none.
    [[nodiscard]] PhysRange first_mappable(PhysRange within) const;
    /// The physical range of [offset, offset + size). Errors: argument_alignment, argument_size
    /// (zero), argument_invalid (outside).
    [[nodiscard]] Result<PhysRange> slice(std::uint64_t offset, std::uint64_t size) const;

private:
    ~MemExtent() override = default;
    Result<> on_activate() override;
    void on_destroy() override;

    Result<> take_memory();
    [[nodiscard]] Partition* partition() const { return object_cast<Partition>(payer()); }
    Result<> take(PhysRange range);
    Result<> return_to_previous(PhysRange range);
    Result<PhysRange> shared_with(const Partition&, std::uint64_t offset, std::uint64_t size) const;
    void give_back();
    template <typename Action>
    Result<> for_each_owned(std::uint64_t offset, std::uint64_t size, Action action);

    PhysRange range_;
    ExtentAttributes attributes_;
    bool configured_ = false;
    bool is_ram_ = false;
    OwnerId id_ = OwnerId::hypervisor; // valid while active
    Ref<MemExtent> parent_;
};

} // namespace hyp
