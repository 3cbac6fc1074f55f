// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on address spaces (public API document, "Address Space Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "memory/address_space.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

Result<Outputs> partition_create_addrspace(Vcpu& caller, const Arguments& a) {
    return create_object<AddressSpace>(caller, a);
}

Result<Outputs> addrspace_configure(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[2]); !zero) {
        return fail(zero.error());
    }
    auto space = caller.cspace().lookup<AddressSpace>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return space ? done((*space)->configure(a.x[1])) : fail(space.error());
}

// Map flags, offset and size stand in three consecutive arguments. Other CPUs are always in step
// when a call returns, so NOSYNC changes nothing.
Result<ExtentPart> decode_part(std::uint64_t flags, std::uint64_t offset, std::uint64_t size) {
    constexpr std::uint64_t known = GH_MAP_FLAG_PARTIAL | GH_MAP_FLAG_NOSYNC;
    if ((flags & ~known) != 0) {
        return fail(Error::argument_invalid);
    }
    return ExtentPart{(flags & GH_MAP_FLAG_PARTIAL) != 0, offset, size};
}

struct SpaceAndExtent {
    Ref<AddressSpace> space;
    Ref<MemExtent> extent;
};

Result<SpaceAndExtent> space_and_extent(Vcpu& caller, const Arguments& a,
                                        std::uint32_t space_rights, std::uint32_t extent_rights) {
    auto space = caller.cspace().lookup_active<AddressSpace>(a.x[0], space_rights);
    if (!space) {
        return fail(space.error());
    }
    auto extent = caller.cspace().lookup_active<MemExtent>(a.x[1], extent_rights);
    if (!extent) {
        return fail(extent.error());
    }
    return SpaceAndExtent{std::move(*space), std::move(*extent)};
}

Result<Outputs> addrspace_map(Vcpu& caller, const Arguments& a) {
    const auto attributes = MapAttributes::decode(a.x[3]);
    if (!attributes) {
        return fail(attributes.error());
    }
    const auto part = decode_part(a.x[4], a.x[5], a.x[6]);
    if (!part) {
        return fail(part.error());
    }
    auto both = space_and_extent(caller, a, GH_RIGHT_ADDRSPACE_MAP, GH_RIGHT_MEMEXTENT_MAP);
    return both ? done(both->space->map(*both->extent, Ipa{a.x[2]}, *attributes, *part))
                : fail(both.error());
}

Result<Outputs> addrspace_unmap(Vcpu& caller, const Arguments& a) {
    const auto part = decode_part(a.x[3], a.x[4], a.x[5]);
    if (!part) {
        return fail(part.error());
    }
    auto both = space_and_extent(caller, a, GH_RIGHT_ADDRSPACE_MAP, GH_RIGHT_MEMEXTENT_MAP);
    return both ? done(both->space->unmap(*both->extent, Ipa{a.x[2]}, *part)) : fail(both.error());
}

Result<Outputs> addrspace_update_access(Vcpu& caller, const Arguments& a) {
    const auto attributes = MapAttributes::decode_access(a.x[3]);
    if (!attributes) {
        return fail(attributes.error());
    }
    const auto part = decode_part(a.x[4], a.x[5], a.x[6]);
    if (!part) {
        return fail(part.error());
    }
    auto both = space_and_extent(caller, a, GH_RIGHT_ADDRSPACE_MAP, GH_RIGHT_MEMEXTENT_MAP);
    return both ? done(both->space->update_access(*both->extent, Ipa{a.x[2]}, attributes->kernel,
                                                  attributes->user, *part))
                : fail(both.error());
}

Result<Outputs> addrspace_lookup(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[4]); !zero) {
        return fail(zero.error());
    }
    auto both = space_and_extent(caller, a, GH_RIGHT_ADDRSPACE_LOOKUP, GH_RIGHT_MEMEXTENT_LOOKUP);
    if (!both) {
        return fail(both.error());
    }
    const auto found = both->space->lookup(*both->extent, Ipa{a.x[2]}, a.x[3]);
    if (!found) {
        return fail(found.error());
    }
    return Outputs{found->offset, found->size, found->attributes.encode()};
}

Result<Outputs> addrspace_configure_vmmio(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[4]); !zero) {
        return fail(zero.error());
    }
    auto space = caller.cspace().lookup_active<AddressSpace>(a.x[0], GH_RIGHT_ADDRSPACE_MAP);
    if (!space) {
        return fail(space.error());
    }
    const IpaRange range{Ipa{a.x[1]}, a.x[2]};
    switch (a.x[3]) {
    case GH_VMMIO_ADD_RANGE:
        return done((*space)->add_vmmio(range));
    case GH_VMMIO_REMOVE_RANGE:
        return done((*space)->remove_vmmio(range));
    default:
        return fail(Error::unimplemented);
    }
}

// The only objects with register interfaces are VICs: 0 the distributor, 1 + n redistributor n.
Result<Outputs> addrspace_attach_vdevice(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[5]); !zero) {
        return fail(zero.error());
    }
    auto space = caller.cspace().lookup_active<AddressSpace>(a.x[0], GH_RIGHT_ADDRSPACE_MAP);
    if (!space) {
        return fail(space.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_ATTACH_VCPU);
    if (!vic) {
        return fail(vic.error());
    }
    Vdevice* device = (*vic)->vdevice(a.x[2]);
    if (device == nullptr) {
        return fail(Error::argument_invalid);
    }
    return done((*space)->attach_vdevice(*vic, *device, IpaRange{Ipa{a.x[3]}, a.x[4]}));
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_ADDRSPACE, partition_create_addrspace},
    {GH_ADDRSPACE_CONFIGURE, addrspace_configure},
    {GH_ADDRSPACE_MAP, addrspace_map},
    {GH_ADDRSPACE_UNMAP, addrspace_unmap},
    {GH_ADDRSPACE_UPDATE_ACCESS, addrspace_update_access},
    {GH_ADDRSPACE_LOOKUP, addrspace_lookup},
    {GH_ADDRSPACE_CONFIGURE_VMMIO, addrspace_configure_vmmio},
    {GH_ADDRSPACE_ATTACH_VDEVICE, addrspace_attach_vdevice},
};

} // namespace

std::span<const HypercallEntry> address_space_calls() {
    return entries;
}

} // namespace hyp
