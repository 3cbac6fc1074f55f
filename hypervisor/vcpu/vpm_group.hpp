// SPDX-License-Identifier: BSD-3-Clause
// A virtual power-management group: the vCPUs of one VM, which PSCI calls see as one system.
//
//                  last vCPU that is on: CPU_SUSPEND
//              +--------------------------------------> cpus_suspended --+
//     running -+                                                         +-> running, when one
//     wakes
//              +--------------------------------------> system_suspended +
//                  last vCPU that is on: SYSTEM_SUSPEND
#pragma once

#include "heap/names.hpp"
#include "interrupt/virq_source.hpp"
#include "object/object.hpp"
#include "object/ref.hpp"

#include <array>
#include <cstdint>

namespace hyp {

class Vcpu;

/// VPMState of the public API document.
enum class VpmState : std::uint8_t { none, running, cpus_suspended, system_suspended };

class VpmGroup final : public Object {
public:
    static constexpr ObjectType type = ObjectType::vpm_group;
    static constexpr unsigned max_vcpus = 64;

    VpmGroup() : Object(type) {}

    /// GH_VPM_GROUP_OPTION_*: a group that is excluded from aggregation collects no votes, so it
    /// is never cpus_suspended. Errors: argument_invalid, object_state (already active).
    [[nodiscard]] Result<> configure(std::uint64_t option_flags) RT_EXCLUDES(config_lock);

    /// The interrupt that every change of state() asserts. Errors: those of VirqSource::bind.
    [[nodiscard]] Result<> bind(Vic& vic, VirqInfo info) { return virq_.bind(vic, info); }
    void unbind() { virq_.unbind(); }

    [[nodiscard]] VpmState state() RT_EXCLUDES(lock_);
    /// A member's suspension began or ended. Called without a Vcpu's lock.
    void refresh() RT_EXCLUDES(lock_);

    /// argument_invalid for an index out of range, busy when it is taken.
    [[nodiscard]] Result<> attach(Vcpu&, std::uint64_t index);
    /// By a vCPU on its way to destruction.
    void detach(Vcpu&);

    /// The vCPU with this MPIDR affinity (Aff3..Aff0, other bits ignored), or null.
    [[nodiscard]] Ref<Vcpu> find(std::uint64_t affinity);
    /// The vCPU at an index, or null.
    [[nodiscard]] Ref<Vcpu> at(unsigned index);
    /// No vCPU but this one is powered on.
    [[nodiscard]] bool is_last_on(const Vcpu&);

private:
    void on_destroy() override { unbind(); }
    [[nodiscard]] VpmState compute() const RT_REQUIRES(lock_);

    bool aggregates_ = true; // fixed once active
    VirqSource virq_;
    Spinlock lock_;
    VpmState state_ RT_GUARDED_BY(lock_) = VpmState::running;
    // Not owning: a vCPU holds its group, and takes itself out before it dies.
    std::array<Vcpu*, max_vcpus> vcpus_ RT_GUARDED_BY(lock_){};
};

} // namespace hyp
