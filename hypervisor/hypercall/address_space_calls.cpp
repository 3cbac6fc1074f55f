// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on address spaces (public API document, "Address Space Management").
#include "hypercall/on_object.hpp"
#include "memory/address_space.hpp"

#include <utility>

namespace hyp {

namespace {

/// `action(space, extent)` with x0 address space, x1 extent.
template <typename Action>
Outcome on_pair(Vcpu& caller, Arguments a, std::uint32_t space_right, std::uint32_t extent_right,
                const Action& action) {
    const auto space = RT_TRY(caller.cspace().lookup_active<AddressSpace>(a.x[0], space_right));
    const auto extent = RT_TRY(caller.cspace().lookup_active<MemExtent>(a.x[1], extent_right));
    return action(*space, *extent);
}

/// `change(space, extent, base, part)` with x0 address space, x1 extent, x2 base and the three
/// arguments of a part from `flags` on: flags, offset, size. NoSync is granted by not making use
/// of it.
template <typename Change>
Outcome change_part(Vcpu& caller, Arguments a, unsigned flags, const Change& change) {
    const auto action = [&](AddressSpace& space, MemExtent& extent) -> Outcome {
        RT_FAIL_IF((a.x[flags] & ~std::uint64_t{GH_MAP_FLAG_PARTIAL | GH_MAP_FLAG_NOSYNC}) != 0,
                   Error::argument_invalid);
        const bool partial = (a.x[flags] & GH_MAP_FLAG_PARTIAL) != 0;
        return done(change(space, extent, Ipa{a.x[2]},
                           ExtentPart{partial, a.x[flags + 1], a.x[flags + 2]}));
    };
    return on_pair(caller, a, GH_RIGHT_ADDRSPACE_MAP, GH_RIGHT_MEMEXTENT_MAP, action);
}

/// x3 attributes, x4 flags, x5 offset, x6 size.
Outcome addrspace_map(Vcpu& caller, Arguments a) {
    return change_part(caller, a, 4,
                       [&](AddressSpace& space, MemExtent& extent, Ipa base, ExtentPart part) {
                           const auto attributes = MapAttributes::decode(a.x[3]);
                           return attributes ? space.map(extent, base, *attributes, part)
                                             : fail(attributes.error());
                       });
}

/// x3 flags, x4 offset, x5 size.
Outcome addrspace_unmap(Vcpu& caller, Arguments a) {
    return change_part(caller, a, 3,
                       [](AddressSpace& space, MemExtent& extent, Ipa base, ExtentPart part) {
                           return space.unmap(extent, base, part);
                       });
}

/// x3 access, x4 flags, x5 offset, x6 size.
Outcome addrspace_update_access(Vcpu& caller, Arguments a) {
    return change_part(
        caller, a, 4, [&](AddressSpace& space, MemExtent& extent, Ipa base, ExtentPart part) {
            const auto access = MapAttributes::decode_access(a.x[3]);
            return access ? space.update_access(extent, base, access->kernel, access->user, part)
                          : fail(access.error());
        });
}

/// x0 address space, x1 extent, x2 base, x3 size, x4 zero -> offset, size, attributes.
Outcome addrspace_lookup(Vcpu& caller, Arguments a) {
    RT_TRY(require_zero(a.x[4]));
    const auto action = [&](AddressSpace& space, MemExtent& extent) -> Outcome {
        const auto found = RT_TRY(space.lookup(extent, Ipa{a.x[2]}, a.x[3]));
        return give(caller, found.offset, found.size, found.attributes.encode());
    };
    return on_pair(caller, a, GH_RIGHT_ADDRSPACE_LOOKUP, GH_RIGHT_MEMEXTENT_LOOKUP, action);
}

/// x0 address space, x1 base, x2 size, x3 operation, x4 zero. Before or after activation.
Outcome addrspace_configure_vmmio(Vcpu& caller, Arguments a) {
    return on_any<AddressSpace>(caller, a, GH_RIGHT_ADDRSPACE_MAP, a.x[4],
                                [&](AddressSpace& space) -> Result<> {
                                    const IpaRange range{Ipa{a.x[1]}, a.x[2]};
                                    switch (a.x[3]) {
                                    case GH_VMMIO_ADD_RANGE:
                                        return space.add_vmmio(range);
                                    case GH_VMMIO_REMOVE_RANGE:
                                        return space.remove_vmmio(range);
                                    default:
                                        return fail(Error::unimplemented);
                                    }
                                });
}

/// x0 address space, x1 VIC (the one type with virtual devices), x2 interface, x3 base, x4 size,
/// x5 zero.
Outcome addrspace_attach_vdevice(Vcpu& caller, Arguments a) {
    RT_TRY(require_zero(a.x[5]));
    auto space =
        RT_TRY(caller.cspace().lookup_active<AddressSpace>(a.x[0], GH_RIGHT_ADDRSPACE_MAP));
    auto vic = RT_TRY(caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_ATTACH_VCPU));
    Vdevice* device = vic->vdevice(a.x[2]);
    RT_FAIL_IF(device == nullptr, Error::argument_invalid);
    return done(space->attach_vdevice(std::move(vic), *device, {Ipa{a.x[3]}, a.x[4]}));
}

/// x0 address space, x1 object, x2 port, x3 zero. The document knows one type with a virtual DMA
/// port, a virtual GIC with LPIs; there are none here, so every object is of the wrong type.
Outcome addrspace_attach_vdma(Vcpu& caller, Arguments a) {
    return on_active<AddressSpace>(
        caller, a, GH_RIGHT_ADDRSPACE_ATTACH, a.x[3], [&](AddressSpace&) -> Result<> {
            const auto object = caller.cspace().lookup_any(a.x[1], GH_RIGHTS_NONE);
            return fail(object ? Error::wrong_object_type : object.error());
        });
}

/// x0 address space, x1 extent, x2 base, x3 zero.
Outcome addrspace_configure_info_area(Vcpu& caller, Arguments a) {
    return on_any<AddressSpace>(
        caller, a, GH_RIGHT_OBJECT_ACTIVATE, a.x[3], [&](AddressSpace& space) {
            return with<MemExtent>(
                caller, a.x[1], GH_RIGHT_MEMEXTENT_ATTACH, [&](MemExtent& extent) {
                    return space.configure_info_area(Ref<MemExtent>(extent), Ipa{a.x[2]});
                });
        });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_ADDRSPACE, create<AddressSpace>},
    {GH_ADDRSPACE_MAP, entry<addrspace_map>},
    {GH_ADDRSPACE_UNMAP, entry<addrspace_unmap>},
    {GH_ADDRSPACE_UPDATE_ACCESS, entry<addrspace_update_access>},
    {GH_ADDRSPACE_LOOKUP, entry<addrspace_lookup>},
    {GH_ADDRSPACE_CONFIGURE, any_state<&AddressSpace::configure, GH_RIGHT_OBJECT_ACTIVATE>},
    {GH_ADDRSPACE_CONFIGURE_VMMIO, entry<addrspace_configure_vmmio>},
    {GH_ADDRSPACE_ATTACH_VDMA, entry<addrspace_attach_vdma>},
    {GH_ADDRSPACE_CONFIGURE_INFO_AREA, entry<addrspace_configure_info_area>},
    {GH_ADDRSPACE_ATTACH_VDEVICE, entry<addrspace_attach_vdevice>},
};

} // namespace

constinit const std::span<const HypercallEntry> address_space_calls = entries;

} // namespace hyp
