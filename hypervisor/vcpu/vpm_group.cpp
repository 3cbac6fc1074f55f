// SPDX-License-Identifier: BSD-3-Clause
// Membership of a virtual power-management group.
#include "vcpu/vpm_group.hpp"

#include "vcpu/vcpu.hpp"

namespace hyp {

using rt::Error;
using rt::fail;
using rt::LockGuard;

namespace {

// MPIDR_EL1: Aff3 [39:32], Aff2 [23:16], Aff1 [15:8], Aff0 [7:0].
constexpr std::uint64_t mpidr_affinity_mask = 0xff00ffffff;

} // namespace

rt::Result<> VpmGroup::attach(Vcpu& vcpu, std::uint64_t index) {
    if (index >= max_vcpus) {
        return fail(Error::argument_invalid);
    }
    const LockGuard guard(lock_);
    if (vcpus_[index] != nullptr) {
        return fail(Error::busy);
    }
    vcpus_[index] = &vcpu;
    return {};
}

void VpmGroup::detach(Vcpu& vcpu) {
    const LockGuard guard(lock_);
    for (Vcpu*& slot : vcpus_) {
        if (slot == &vcpu) {
            slot = nullptr;
        }
    }
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
