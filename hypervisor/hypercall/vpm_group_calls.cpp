// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtual power-management groups.
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"

#include "interrupt/vic.hpp"
#include "memory/partition.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::fail;
using rt::Result;

namespace {

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
    if (auto zero = require_zero(a.x[2]); !zero) {
        return fail(zero.error());
    }
    auto group = caller.cspace().lookup<VpmGroup>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return group ? done((*group)->configure(a.x[1])) : fail(group.error());
}

Result<Outputs> vpm_group_bind_virq(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[3]); !zero) {
        return fail(zero.error());
    }
    auto group = caller.cspace().lookup_active<VpmGroup>(a.x[0], GH_RIGHT_VPM_GROUP_BIND_VIRQ);
    if (!group) {
        return fail(group.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    const auto info = VirqInfo::decode(a.x[2]);
    return info ? done((*group)->bind(**vic, *info)) : fail(info.error());
}

Result<Outputs> vpm_group_unbind_virq(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[1]); !zero) {
        return fail(zero.error());
    }
    auto group = caller.cspace().lookup_active<VpmGroup>(a.x[0], GH_RIGHT_VPM_GROUP_BIND_VIRQ);
    if (!group) {
        return fail(group.error());
    }
    (*group)->unbind();
    return Outputs{};
}

Result<Outputs> vpm_group_get_state(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[1]); !zero) {
        return fail(zero.error());
    }
    auto group = caller.cspace().lookup_active<VpmGroup>(a.x[0], GH_RIGHT_VPM_GROUP_QUERY);
    if (!group) {
        return fail(group.error());
    }
    return Outputs{static_cast<std::uint64_t>((*group)->state())};
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VPM_GROUP, partition_create_vpm_group},
    {GH_VPM_GROUP_ATTACH_VCPU, vpm_group_attach_vcpu},
    {GH_VPM_GROUP_CONFIGURE, vpm_group_configure},
    {GH_VPM_GROUP_BIND_VIRQ, vpm_group_bind_virq},
    {GH_VPM_GROUP_UNBIND_VIRQ, vpm_group_unbind_virq},
    {GH_VPM_GROUP_GET_STATE, vpm_group_get_state},
};

} // namespace

std::span<const HypercallEntry> vpm_group_calls() {
    return entries;
}

} // namespace hyp
