// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on capability spaces (public API document, "Capability Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "object/cspace.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

Result<Outputs> partition_create_cspace(Vcpu& caller, const Arguments& a) {
    return create_object<Cspace>(caller, a);
}

Result<Outputs> cspace_configure(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[2]); !zero) {
        return fail(zero.error());
    }
    auto space = caller.cspace().lookup<Cspace>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return space ? done((*space)->configure(a.x[1])) : fail(space.error());
}

// The space that x0 names with `rights`, after checking that x2 is zero.
Result<Ref<Cspace>> named_space(Vcpu& caller, const Arguments& a, std::uint32_t rights) {
    if (auto zero = require_zero(a.x[2]); !zero) {
        return fail(zero.error());
    }
    return caller.cspace().lookup_active<Cspace>(a.x[0], rights);
}

Result<Outputs> cspace_delete_cap_from(Vcpu& caller, const Arguments& a) {
    auto space = named_space(caller, a, GH_RIGHT_CSPACE_CAP_DELETE);
    return space ? done((*space)->remove(a.x[1])) : fail(space.error());
}

Result<Outputs> cspace_revoke_cap_from(Vcpu& caller, const Arguments& a) {
    auto space = named_space(caller, a, GH_RIGHT_CSPACE_CAP_DELETE);
    return space ? done((*space)->revoke(a.x[1])) : fail(space.error());
}

Result<Outputs> cspace_revoke_caps_from(Vcpu& caller, const Arguments& a) {
    auto space = named_space(caller, a, GH_RIGHT_CSPACE_CAP_DELETE);
    return space ? done((*space)->revoke_children(a.x[1])) : fail(space.error());
}

Result<Outputs> cspace_copy_cap_from(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[4]); !zero) {
        return fail(zero.error());
    }
    if (a.x[3] > GH_RIGHTS_ALL) {
        return fail(Error::argument_invalid);
    }
    auto source = caller.cspace().lookup_active<Cspace>(a.x[0], GH_RIGHT_CSPACE_CAP_COPY);
    if (!source) {
        return fail(source.error());
    }
    auto destination = caller.cspace().lookup_active<Cspace>(a.x[2], GH_RIGHT_CSPACE_CAP_CREATE);
    if (!destination) {
        return fail(destination.error());
    }
    const auto id = (*source)->copy(a.x[1], **destination, static_cast<std::uint32_t>(a.x[3]));
    if (!id) {
        return fail(id.error());
    }
    return Outputs{*id};
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_CSPACE, partition_create_cspace},
    {GH_CSPACE_CONFIGURE, cspace_configure},
    {GH_CSPACE_DELETE_CAP_FROM, cspace_delete_cap_from},
    {GH_CSPACE_COPY_CAP_FROM, cspace_copy_cap_from},
    {GH_CSPACE_REVOKE_CAP_FROM, cspace_revoke_cap_from},
    {GH_CSPACE_REVOKE_CAPS_FROM, cspace_revoke_caps_from},
};

} // namespace

std::span<const HypercallEntry> cspace_calls() {
    return entries;
}

} // namespace hyp
