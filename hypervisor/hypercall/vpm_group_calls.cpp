// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtual power-management groups.
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"

#include "object/partition.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

constexpr std::uint64_t vpm_state_running = 1;

Result<Outputs> partition_create_vpm_group(Vcpu& caller, const Arguments& a) {
    return create_object<VpmGroup>(caller, a);
}

Result<Outputs> vpm_group_attach_vcpu(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[3]); !zero) {
        return fail(zero.error());
    }
    auto group = caller.cspace().lookup<VpmGroup>(a.x[0], GH_RIGHT_VPM_GROUP_ATTACH_VCPU);
    if (!group) {
        return fail(group.error());
    }
    auto vcpu = caller.cspace().lookup<Vcpu>(a.x[1], GH_RIGHT_OBJECT_ACTIVATE);
    return vcpu ? done((*vcpu)->attach_group(std::move(*group), a.x[2])) : fail(vcpu.error());
}

Result<Outputs> vpm_group_configure(Vcpu& caller, const Arguments& a) {
    constexpr std::uint64_t exclude_from_aggregation = 1;
    if (a.x[2] != 0 || (a.x[1] & ~exclude_from_aggregation) != 0) {
        return fail(Error::argument_invalid);
    }
    auto group = caller.cspace().lookup<VpmGroup>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    if (!group) {
        return fail(group.error());
    }
    // No power state is ever aggregated yet, so both settings mean the same.
    return (*group)->is_active() ? Result<Outputs>(fail(Error::object_state)) : Outputs{};
}

Result<Outputs> vpm_group_get_state(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[1]); !zero) {
        return fail(zero.error());
    }
    auto group = caller.cspace().lookup<VpmGroup>(a.x[0], GH_RIGHT_VPM_GROUP_QUERY);
    if (!group) {
        return fail(group.error());
    }
    // SYSTEM_SUSPEND is not offered to VMs (PSCI_FEATURES says so), hence one state only.
    return Outputs{vpm_state_running};
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VPM_GROUP, partition_create_vpm_group},
    {GH_VPM_GROUP_ATTACH_VCPU, vpm_group_attach_vcpu},
    {GH_VPM_GROUP_CONFIGURE, vpm_group_configure},
    {GH_VPM_GROUP_GET_STATE, vpm_group_get_state},
};

} // namespace

std::span<const HypercallEntry> vpm_group_calls() {
    return entries;
}

} // namespace hyp
