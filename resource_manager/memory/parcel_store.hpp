// SPDX-License-Identifier: BSD-3-Clause
// All parcels that exist, and the memory requests on them.
#pragma once

#include "memory/parcel.hpp"
#include "rpc/wire.hpp"

#include <memory>

namespace rm {

/// Answers whether a VMID may stand in an access list.
class VmDirectory {
public:
    [[nodiscard]] virtual bool exists(std::uint32_t vmid) const = 0;

protected:
    ~VmDirectory() = default;
};

/// Only the primary VM owns memory; requests of others are refused before they come here.
class ParcelStore {
public:
    ParcelStore(const Root& root, const RamMap& ram, const VmDirectory& vms)
        : root_(root), ram_(ram), vms_(vms) {}
    ~ParcelStore();
    ParcelStore(const ParcelStore&) = delete;
    ParcelStore& operator=(const ParcelStore&) = delete;

    /// The address space that memory is lent from; needed before the first request.
    void set_owner_addrspace(CapId addrspace) { owner_addrspace_ = addrspace; }

    /// MEM_SHARE and MEM_LEND: gives the new parcel's handle.
    RmResult<std::uint32_t> create(const Stage& stage, Parcel::Kind kind, std::uint32_t owner,
                                   Reader payload);
    /// MEM_APPEND.
    RmResult<> append(const Stage& stage, std::uint32_t owner, Reader payload);
    /// MEM_RECLAIM.
    RmResult<> reclaim(const Stage& stage, std::uint32_t owner, Reader payload);

    /// All parcels of the owner, none of which is in use. What cannot be given back is kept, and an
    /// error.
    RmResult<> reclaim_all(const Stage& stage, std::uint32_t owner);

    /// nullptr when there is no such parcel.
    Parcel* find(std::uint32_t handle);
    /// A complete parcel, none of these two, that `vmid` may access and nobody uses, or nullptr.
    const Parcel* other_parcel_of(std::uint32_t vmid, const Parcel* first, const Parcel* second);

    [[nodiscard]] std::size_t count() const { return count_; }

private:
    RmResult<> read_acl(const Stage& stage, Parcel& parcel, Reader& payload);
    RmResult<> read_memory(const Stage& stage, Parcel& parcel, Reader& payload);
    RmResult<> complete(const Stage& stage, Parcel& parcel);
    RmResult<Parcel*> owned_parcel(const Stage& stage, std::uint32_t owner, std::uint32_t handle);
    RmResult<> take_back(const Stage& stage, Parcel& parcel, bool sanitize);
    std::uint32_t new_handle();
    void destroy(Parcel& parcel);

    const Root& root_;
    const RamMap& ram_;
    const VmDirectory& vms_;
    CapId owner_addrspace_;
    rt::IntrusiveList<Parcel, ParcelTag> parcels_;
    std::size_t count_ = 0;
    std::uint32_t last_handle_ = 0;
};

} // namespace rm
