// SPDX-License-Identifier: BSD-3-Clause
// A virtual power-management group: the vCPUs of one VM, which PSCI calls see as one system.
#pragma once

#include "object/object.hpp"
#include "object/ref.hpp"

#include <runtime/result.hpp>
#include <runtime/spinlock.hpp>

#include <array>
#include <cstdint>

namespace hyp {

class Vcpu;

class VpmGroup final : public Object {
public:
    static constexpr ObjectType type = ObjectType::vpm_group;
    static constexpr unsigned max_vcpus = 64;

    VpmGroup() : Object(type) {}

    /// argument_invalid for an index out of range, busy when it is taken.
    [[nodiscard]] rt::Result<> attach(Vcpu&, std::uint64_t index);
    /// By a vCPU on its way to destruction.
    void detach(Vcpu&);

    /// The vCPU with this MPIDR affinity (Aff3..Aff0, other bits ignored), or null.
    [[nodiscard]] Ref<Vcpu> find(std::uint64_t affinity);
    /// The vCPU at an index, or null.
    [[nodiscard]] Ref<Vcpu> at(unsigned index);
    /// No vCPU but this one is powered on.
    [[nodiscard]] bool is_last_on(const Vcpu&);

private:
    rt::Spinlock lock_;
    // Not owning: a vCPU holds its group, and takes itself out before it dies.
    std::array<Vcpu*, max_vcpus> vcpus_ RT_GUARDED_BY(lock_){};
};

} // namespace hyp
