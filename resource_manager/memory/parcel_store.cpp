// SPDX-License-Identifier: BSD-3-Clause
// MEM_SHARE, MEM_LEND, MEM_APPEND and MEM_RECLAIM (layouts: RM RPC of the v11 series).
#include "memory/parcel_store.hpp"

#include <abi/rm_rpc.h>

namespace rm {

namespace {

constexpr std::uint32_t max_acl_entries = 32;
constexpr std::uint8_t access_mask = GH_ACCESS_RWX;

} // namespace

ParcelStore::~ParcelStore() {
    while (Parcel* parcel = parcels_.pop_front()) {
        delete parcel;
    }
}

Parcel* ParcelStore::find(std::uint32_t handle) {
    for (Parcel& parcel : parcels_) {
        if (parcel.handle == handle) {
            return &parcel;
        }
    }
    return nullptr;
}

const Parcel* ParcelStore::other_parcel_of(std::uint32_t vmid, const Parcel* first,
                                           const Parcel* second) {
    for (const Parcel& parcel : parcels_) {
        const bool is_known = &parcel == first || &parcel == second;
        if (!is_known && parcel.complete && parcel.user == 0 && parcel.access_of(vmid) != 0) {
            return &parcel;
        }
    }
    return nullptr;
}

std::uint32_t ParcelStore::new_handle() {
    do {
        ++last_handle_;
    } while (last_handle_ == 0 || find(last_handle_) != nullptr);
    return last_handle_;
}

void ParcelStore::destroy(Parcel& parcel) {
    rt::IntrusiveList<Parcel, ParcelTag>::remove(parcel);
    --count_;
    delete &parcel;
}

RmResult<> ParcelStore::read_acl(const Stage& stage, Parcel& parcel, Reader& payload) {
    const std::uint32_t count = payload.u32();
    if (!payload.ok() || count == 0 || count > max_acl_entries) {
        return refuse(stage, RmError::argument_invalid, "an access list of {} entries (1 to {})",
                      count, max_acl_entries);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const AclEntry entry{.vmid = payload.u16(), .access = payload.u8()};
        const std::uint8_t reserved = payload.u8();
        if (!payload.ok() || reserved != 0 || (entry.access & ~access_mask) != 0) {
            return refuse(stage, RmError::argument_invalid, "malformed entry {} of the access list",
                          i);
        }
        if (!vms_.exists(entry.vmid)) {
            return refuse(stage, RmError::vmid_invalid, "its access list names {x}, which is no VM",
                          entry.vmid);
        }
        if (!parcel.acl.push_back(entry)) {
            return refuse(stage, RmError::no_memory, "no memory for the access list");
        }
    }
    const bool lent_wrongly =
        parcel.kind == Parcel::Kind::lend && (count != 1 || parcel.acl[0].vmid == parcel.owner);
    if (lent_wrongly) {
        return refuse(stage, RmError::argument_invalid,
                      "memory is lent to exactly one VM, which is not its owner");
    }
    return {};
}

RmResult<> ParcelStore::read_memory(const Stage& stage, Parcel& parcel, Reader& payload) {
    const std::uint16_t count = payload.u16();
    const std::uint16_t reserved = payload.u16();
    if (!payload.ok() || reserved != 0 || count > GH_RM_MEM_MAX_ENTRIES) {
        return refuse(stage, RmError::argument_invalid, "a memory list of {} entries (at most {})",
                      count, GH_RM_MEM_MAX_ENTRIES);
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        const Range range{payload.u64(), payload.u64()};
        if (!payload.ok()) {
            return refuse(stage, RmError::argument_invalid,
                          "the memory list ends at entry {} of {}", i, count);
        }
        const auto added = parcel.add(stage, ram_, range);
        if (!added) {
            return added;
        }
    }
    return {};
}

RmResult<> ParcelStore::complete(const Stage& stage, Parcel& parcel) {
    if (parcel.size() == 0) {
        return refuse(stage, RmError::mem_invalid, "the parcel has no memory");
    }
    if (parcel.kind == Parcel::Kind::lend) {
        const auto taken = parcel.take_from_owner(stage, root_, ram_, owner_addrspace_);
        if (!taken) {
            return taken;
        }
    }
    parcel.complete = true;
    return {};
}

RmResult<std::uint32_t> ParcelStore::create(const Stage& stage, Parcel::Kind kind,
                                            std::uint32_t owner, Reader payload) {
    const std::uint8_t type = payload.u8();
    const std::uint8_t zero_a = payload.u8();
    const std::uint8_t flags = payload.u8();
    const std::uint8_t zero_b = payload.u8();
    const std::uint32_t label = payload.u32();
    const bool more_follows = (flags & GH_RM_MEM_FLAG_APPEND) != 0;
    if (!payload.ok() || zero_a != 0 || zero_b != 0 || (flags & ~GH_RM_MEM_FLAG_APPEND) != 0) {
        return refuse(stage, RmError::argument_invalid, "malformed header (flags {x})", flags);
    }
    if (type != GH_RM_MEM_TYPE_NORMAL) {
        return refuse(stage, RmError::mem_invalid, "memory type {} is not normal memory", type);
    }
    std::unique_ptr<Parcel> parcel(new (std::nothrow) Parcel(kind, new_handle(), label, owner));
    if (!parcel) {
        return refuse(stage, RmError::no_memory, "no memory for a parcel");
    }
    auto done = read_acl(stage, *parcel, payload);
    done = done ? read_memory(stage, *parcel, payload) : done;
    if (!done) {
        return std::unexpected(done.error());
    }
    const std::uint32_t attributes = payload.u32();
    if (!payload.finished() || attributes != 0) {
        return refuse(stage, RmError::argument_invalid,
                      "the attribute list is not empty, or there are bytes behind it");
    }
    done = more_follows ? done : complete(stage, *parcel);
    if (!done) {
        return std::unexpected(done.error());
    }
    const std::uint32_t handle = parcel->handle;
    parcels_.push_back(*parcel.release());
    ++count_;
    return handle;
}

RmResult<Parcel*> ParcelStore::owned_parcel(const Stage& stage, std::uint32_t owner,
                                            std::uint32_t handle) {
    Parcel* parcel = find(handle);
    if (parcel == nullptr || parcel->owner != owner) {
        return refuse(stage, RmError::handle_invalid, "the sender has no parcel {x}", handle);
    }
    return parcel;
}

RmResult<> ParcelStore::append(const Stage& stage, std::uint32_t owner, Reader payload) {
    const std::uint32_t handle = payload.u32();
    const std::uint8_t flags = payload.u8();
    const std::uint8_t zero_a = payload.u8();
    const std::uint16_t zero_b = payload.u16();
    if (!payload.ok() || zero_a != 0 || zero_b != 0 || (flags & ~GH_RM_MEM_APPEND_END) != 0) {
        return refuse(stage, RmError::argument_invalid, "malformed header (flags {x})", flags);
    }
    const auto parcel = owned_parcel(stage, owner, handle);
    if (!parcel) {
        return std::unexpected(parcel.error());
    }
    if ((*parcel)->complete) {
        return refuse(stage, RmError::mem_invalid, "parcel {x} is complete already", handle);
    }
    auto done = read_memory(stage, **parcel, payload);
    if (done && !payload.finished()) {
        done = refuse(stage, RmError::argument_invalid, "there are bytes behind the memory list");
    }
    if (done && (flags & GH_RM_MEM_APPEND_END) != 0) {
        done = complete(stage, **parcel);
    }
    return done; // after a failure the parcel is there, incomplete: the sender reclaims it
}

RmResult<> ParcelStore::reclaim(const Stage& stage, std::uint32_t owner, Reader payload) {
    const std::uint32_t handle = payload.u32();
    const std::uint8_t flags = payload.u8();
    const std::uint8_t zero_a = payload.u8();
    const std::uint16_t zero_b = payload.u16();
    const bool sanitize = (flags & GH_RM_MEM_FLAG_SANITIZE) != 0;
    if (!payload.finished() || zero_a != 0 || zero_b != 0 ||
        (flags & ~GH_RM_MEM_FLAG_SANITIZE) != 0) {
        return refuse(stage, RmError::argument_invalid, "malformed request (flags {x})", flags);
    }
    const auto found = owned_parcel(stage, owner, handle);
    if (!found) {
        return std::unexpected(found.error());
    }
    Parcel& parcel = **found;
    if (parcel.user != 0) {
        return refuse(stage, RmError::mem_in_use, "parcel {x} is in use by VM {x}", handle,
                      parcel.user);
    }
    return take_back(stage, parcel, sanitize);
}

RmResult<> ParcelStore::take_back(const Stage& stage, Parcel& parcel, bool sanitize) {
    RmResult<> done;
    if (parcel.complete && parcel.kind == Parcel::Kind::lend) {
        done = parcel.give_back(stage, root_, ram_, owner_addrspace_);
    } else if (sanitize) {
        done = parcel.zero(stage, root_);
    }
    if (done) {
        destroy(parcel);
    }
    return done;
}

RmResult<> ParcelStore::reclaim_all(const Stage& stage, std::uint32_t owner) {
    RmResult<> all;
    for (auto next = parcels_.begin(); next != parcels_.end();) {
        Parcel& parcel = *next;
        ++next;
        if (parcel.owner == owner) {
            const auto done = take_back(stage, parcel, false);
            all = done ? all : done;
        }
    }
    return all;
}

} // namespace rm
