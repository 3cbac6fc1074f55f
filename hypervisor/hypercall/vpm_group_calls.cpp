// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtual power-management groups.
#include "hypercall/on_object.hpp"
#include "vcpu/vpm_group.hpp"

namespace hyp {

namespace {

/// x0 group, x1 vCPU, x2 index, x3 zero.
Outcome vpm_group_attach_vcpu(Vcpu& caller, Arguments a) {
    return on_any<VpmGroup>(
        caller, a, GH_RIGHT_VPM_GROUP_ATTACH_VCPU, a.x[3], [&](VpmGroup& group) -> Result<> {
            auto vcpu = caller.cspace().lookup<Vcpu>(a.x[1], GH_RIGHT_OBJECT_ACTIVATE);
            return vcpu ? (*vcpu)->attach_group(Ref(group), a.x[2]) : fail(vcpu.error());
        });
}

/// x0 group, x1 zero -> VPMState.
Outcome vpm_group_get_state(Vcpu& caller, Arguments a) {
    return on_active<VpmGroup>(caller, a, GH_RIGHT_VPM_GROUP_QUERY, a.x[1], [&](VpmGroup& group) {
        return give(caller, static_cast<std::uint64_t>(group.state()));
    });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VPM_GROUP, create<VpmGroup>},
    {GH_VPM_GROUP_ATTACH_VCPU, entry<vpm_group_attach_vcpu>},
    {GH_VPM_GROUP_CONFIGURE, any_state<&VpmGroup::configure, GH_RIGHT_OBJECT_ACTIVATE>},
    {GH_VPM_GROUP_BIND_VIRQ, bind_virq<&VpmGroup::bind, GH_RIGHT_VPM_GROUP_BIND_VIRQ>},
    {GH_VPM_GROUP_UNBIND_VIRQ, active<&VpmGroup::unbind, GH_RIGHT_VPM_GROUP_BIND_VIRQ>},
    {GH_VPM_GROUP_GET_STATE, entry<vpm_group_get_state>},
};

} // namespace

constinit const std::span<const HypercallEntry> vpm_group_calls = entries;

} // namespace hyp
