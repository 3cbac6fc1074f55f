// SPDX-License-Identifier: BSD-3-Clause
// What a vCPU is attached to and how it is scheduled: set before activation.
#include "vcpu/vcpu.hpp"
#include "vcpu/vpm_group.hpp"

#include <abi/hypercall.h>
#include <arch/pmu.hpp>

#include <utility>

namespace hyp {

Result<> Vcpu::configure(std::uint64_t option_flags) {
    constexpr std::uint64_t known =
        GH_VCPU_OPTION_DEBUG | GH_VCPU_OPTION_HLOS | GH_VCPU_OPTION_EXT_ALL;
    const LockGuard guard(config_lock);
    const bool watched = (option_flags & GH_VCPU_OPTION_HLOS) != 0 && watchdog_;
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF((option_flags & ~known) != 0 || watched, Error::argument_invalid);
    primary_ = (option_flags & GH_VCPU_OPTION_HLOS) != 0;
    guest.features.sve =
        (option_flags & GH_VCPU_OPTION_EXT_SVE) != 0 && arch::sve_vector_bytes() != 0;
    guest.features.pmu = (option_flags & GH_VCPU_OPTION_EXT_PMU) != 0 && arch::has_pmu();
    return {};
}

Result<> Vcpu::attach_cspace(Ref<Cspace> cspace) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !cspace->is_active(), Error::object_state);
    cspace_ = std::move(cspace);
    return {};
}

Result<> Vcpu::attach_address_space(Ref<AddressSpace> address_space) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !address_space->is_active(), Error::object_state);
    address_space_ = std::move(address_space);
    return {};
}

Result<> Vcpu::attach_group(Ref<VpmGroup> group, std::uint64_t index) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !group->is_active(), Error::object_state);
    RT_FAIL_IF(group_, Error::busy);
    auto attached = group->attach(*this, index);
    if (attached) {
        group_ = std::move(group);
        group_index_ = static_cast<unsigned>(index);
    }
    return attached;
}

Result<> Vcpu::attach_watchdog(Ref<Watchdog> watchdog) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active() || !watchdog->is_active(), Error::object_state);
    RT_FAIL_IF(primary_, Error::argument_invalid);
    RT_FAIL_IF(watchdog_, Error::busy);
    watchdog->attach(*this);
    watchdog_ = std::move(watchdog);
    return {};
}

Result<> Vcpu::attach_vic(Vic& vic, std::uint64_t index) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    return vic.attach_vcpu(index, interrupts);
}

Result<> Vcpu::set_priority(std::uint64_t priority) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF(priority > GH_VCPU_PRIORITY_MAX, Error::argument_invalid);
    scheduling_.priority = static_cast<unsigned>(priority);
    return {};
}

Result<> Vcpu::set_timeslice(std::uint64_t nanoseconds) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF(nanoseconds < GH_VCPU_TIMESLICE_MIN_NS || nanoseconds > GH_VCPU_TIMESLICE_MAX_NS,
               Error::argument_invalid);
    scheduling_.timeslice = nanoseconds;
    return {};
}

Result<> Vcpu::write_register(std::uint64_t set, std::uint64_t index, std::uint64_t value) {
    const LockGuard guard(lock_);
    RT_FAIL_IF(!is_off() || running_on_ != no_cpu, Error::object_state);
    std::uint64_t* place = nullptr;
    switch (set) {
    case GH_VCPU_REGISTER_SET_X:
        place = index < 31 ? &registers.x[index] : nullptr;
        break;
    case GH_VCPU_REGISTER_SET_PC:
        place = index == 0 && (value & 3) == 0 ? &registers.pc : nullptr;
        break;
    case GH_VCPU_REGISTER_SET_SP_EL:
        place = index == 0 ? &guest.system.sp_el0 : index == 1 ? &guest.system.sp_el1 : nullptr;
        break;
    case GH_VCPU_REGISTER_SET_EXT_PV_TIME:
        return index == 0 ? set_stolen_time(value) : fail(Error::argument_invalid);
    default:
        break;
    }
    RT_FAIL_IF(place == nullptr, Error::argument_invalid);
    *place = value;
    return {};
}

void Vcpu::become_proxy() {
    unsigned running_on = no_cpu;
    {
        const LockGuard guard(lock_);
        proxy_.store(true, std::memory_order_release);
        running_on = running_on_;
        must_leave_.store(running_on != no_cpu, std::memory_order_relaxed);
    }
    scheduler_.dequeue(*this);
    kick(running_on);
}

Result<> Vcpu::bind_virq(std::uint64_t source, Vic& vic, VirqInfo info) {
    switch (source) {
    case GH_VCPU_VIRQ_HALT:
        return halt_virq_.bind(vic, info);
    case GH_VCPU_VIRQ_RUN_WAKEUP: {
        auto bound = wakeup_virq_.bind(vic, info);
        if (bound) {
            become_proxy();
        }
        return bound;
    }
    default:
        return fail(Error::argument_invalid);
    }
}

Result<> Vcpu::unbind_virq(std::uint64_t source) {
    switch (source) {
    case GH_VCPU_VIRQ_HALT:
        halt_virq_.unbind();
        return {};
    case GH_VCPU_VIRQ_RUN_WAKEUP:
        wakeup_virq_.unbind();
        if (proxy_.exchange(false) && ready()) {
            scheduler_.enqueue(*this); // dropped there if it runs just now: end_run() comes
        }
        return {};
    default:
        return fail(Error::argument_invalid);
    }
}

} // namespace hyp
