// SPDX-License-Identifier: BSD-3-Clause
// State and membership of a virtual power-management group.
#include "vcpu/vpm_group.hpp"

#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>

#include <algorithm>

namespace hyp {

namespace {

// MPIDR_EL1: Aff3 [39:32], Aff2 [23:16], Aff1 [15:8], Aff0 [7:0].
constexpr std::uint64_t mpidr_affinity_mask = 0xff00ffffff;

} // namespace

Result<> VpmGroup::configure(std::uint64_t option_flags) {
    const LockGuard guard(config_lock);
    constexpr std::uint64_t known = GH_VPM_GROUP_OPTION_NO_AGGREGATION;
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF((option_flags & ~known) != 0, Error::argument_invalid);
    aggregates_ = option_flags == 0;
    return {};
}

/// What the members' power states add up to.
VpmState VpmGroup::compute() const {
    VpmState state = VpmState::running;
    for (const Vcpu* vcpu : vcpus_) {
        if (vcpu == nullptr || vcpu->run_state() == VcpuState::off || is_final(vcpu->run_state())) {
            continue;
        }
        const bool waits = vcpu->run_state() == VcpuState::waiting;
        const Suspension suspension = waits ? vcpu->suspension() : Suspension::none;
        if (suspension == Suspension::system) {
            return VpmState::system_suspended; // nobody else was on
        }
        if (suspension == Suspension::none || !aggregates_) {
            return VpmState::running;
        }
        state = VpmState::cpus_suspended;
    }
    return state;
}

VpmState VpmGroup::state() {
    const LockGuard guard(lock_);
    return state_;
}

void VpmGroup::refresh() {
    {
        const LockGuard guard(lock_);
        const VpmState now = compute();
        if (now == state_) {
            return;
        }
        state_ = now;
    }
    virq_.assert_edge();
}

Result<> VpmGroup::attach(Vcpu& vcpu, std::uint64_t index) {
    RT_FAIL_IF(index >= max_vcpus, Error::argument_invalid);
    const LockGuard guard(lock_);
    RT_FAIL_IF(vcpus_[index] != nullptr, Error::busy);
    vcpus_[index] = &vcpu;
    return {};
}

void VpmGroup::detach(Vcpu& vcpu) {
    const LockGuard guard(lock_);
    std::ranges::replace(vcpus_, &vcpu, nullptr);
}

Ref<Vcpu> VpmGroup::find(std::uint64_t affinity) {
    const LockGuard guard(lock_);
    for (Vcpu* vcpu : vcpus_) {
        if (vcpu != nullptr && vcpu->is_active() &&
            (vcpu->mpidr() & mpidr_affinity_mask) == (affinity & mpidr_affinity_mask)) {
            return Ref<Vcpu>::try_share(*vcpu);
        }
    }
    return {};
}

Ref<Vcpu> VpmGroup::at(unsigned index) {
    const LockGuard guard(lock_);
    if (index >= max_vcpus || vcpus_[index] == nullptr) {
        return {};
    }
    return Ref<Vcpu>::try_share(*vcpus_[index]);
}

bool VpmGroup::is_last_on(const Vcpu& self) {
    const LockGuard guard(lock_);
    for (const Vcpu* vcpu : vcpus_) {
        if (vcpu != nullptr && vcpu != &self && vcpu->run_state() != VcpuState::off) {
            return false;
        }
    }
    return true;
}

} // namespace hyp
