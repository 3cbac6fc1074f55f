// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on vCPU threads: configuration, power, proxy scheduling (public API document, "VCPU
// Management" and "Scheduler Management").
#include "hypercall/on_object.hpp"
#include "schedule/scheduler.hpp"
#include "vcpu/vpm_group.hpp"

namespace hyp {

namespace {

Result<Ref<Vcpu>> vcpu_of(Vcpu& caller, CapId id, std::uint32_t rights) {
    return caller.cspace().lookup<Vcpu>(id, rights);
}

Ref<Object> make_thread(Partition&) {
    return make_object<Vcpu>(scheduler());
}

Outcome cspace_attach_thread(Vcpu& caller, Arguments a) {
    return on_any<Cspace>(caller, a, GH_RIGHT_CSPACE_ATTACH, a.x[2], [&](Cspace& cspace) {
        return with<Vcpu>(caller, a.x[1], GH_RIGHT_OBJECT_ACTIVATE,
                          [&](Vcpu& vcpu) { return vcpu.attach_cspace(Ref<Cspace>(cspace)); });
    });
}

Outcome addrspace_attach_thread(Vcpu& caller, Arguments a) {
    return on_any<AddressSpace>(
        caller, a, GH_RIGHT_ADDRSPACE_ATTACH, a.x[2], [&](AddressSpace& space) {
            return with<Vcpu>(caller, a.x[1], GH_RIGHT_OBJECT_ACTIVATE, [&](Vcpu& vcpu) {
                return vcpu.attach_address_space(Ref<AddressSpace>(space));
            });
        });
}

Outcome vcpu_poweron(Vcpu& caller, Arguments a) {
    constexpr std::uint64_t known =
        GH_VCPU_POWERON_PRESERVE_ENTRY | GH_VCPU_POWERON_PRESERVE_CONTEXT;
    return on_any<Vcpu>(caller, a, GH_RIGHT_THREAD_POWER, a.x[3] & ~known,
                        [&](Vcpu& vcpu) { return vcpu.power_on(a.x[1], a.x[2], a.x[3]); });
}

Outcome vcpu_poweroff(Vcpu& caller, Arguments a) {
    auto vcpu = RT_TRY(vcpu_of(caller, a.x[0], GH_RIGHT_THREAD_POWER));
    RT_FAIL_IF(vcpu.get() != &caller || (a.x[1] & ~std::uint64_t{GH_VCPU_POWEROFF_LAST}) != 0,
               Error::argument_invalid);
    const bool is_last = caller.group() == nullptr || caller.group()->is_last_on(caller);
    RT_FAIL_IF(is_last != ((a.x[1] & GH_VCPU_POWEROFF_LAST) != 0), Error::denied);
    caller.power_off();
    return Outcome::later(); // its registers are reset, not written
}

Outcome vcpu_set_affinity(Vcpu& caller, Arguments a) {
    constexpr std::uint64_t reserved = ~std::uint64_t{0}; // "must be -1"
    const bool any = a.x[1] == GH_CPU_INDEX_ANY;
    RT_FAIL_IF(a.x[1] >= scheduler().cpu_count() && !any, Error::argument_invalid);
    return on_any<Vcpu>(caller, a, GH_RIGHT_THREAD_AFFINITY, a.x[2] ^ reserved, [&](Vcpu& vcpu) {
        vcpu.set_affinity(any ? no_cpu : static_cast<unsigned>(a.x[1]));
    });
}

Outcome vcpu_set_priority(Vcpu& caller, Arguments a) {
    return on_any<Vcpu>(caller, a, GH_RIGHT_THREAD_PRIORITY, 0,
                        [&](Vcpu& vcpu) { return vcpu.set_priority(a.x[1]); });
}

Outcome vcpu_set_timeslice(Vcpu& caller, Arguments a) {
    return on_any<Vcpu>(caller, a, GH_RIGHT_THREAD_TIMESLICE, 0,
                        [&](Vcpu& vcpu) { return vcpu.set_timeslice(a.x[1]); });
}

Outcome vcpu_bind_virq(Vcpu& caller, Arguments a) {
    return on_any<Vcpu>(caller, a, GH_RIGHT_THREAD_BIND_VIRQ, a.x[4], [&](Vcpu& vcpu) {
        return with<Vic>(caller, a.x[1], GH_RIGHT_VIC_BIND_SOURCE, [&](Vic& vic) {
            const auto info = VirqInfo::decode(a.x[2]);
            return info ? vcpu.bind_virq(a.x[3], vic, *info) : fail(info.error());
        });
    });
}

Outcome give(Vcpu& caller, const RunReport& report) {
    return hyp::give(caller, report.state, report.data[0], report.data[1], report.data[2]);
}

Outcome vcpu_run(Vcpu& caller, Arguments a) {
    // Resume data 1 is not checked for states that have none: the v11 driver leaves the value of
    // its last MMIO read there.
    RT_FAIL_IF((a.x[2] | a.x[3] | a.x[4]) != 0, Error::argument_invalid);
    auto vcpu = RT_TRY(vcpu_of(caller, a.x[0], GH_RIGHT_THREAD_STATE));
    RT_FAIL_IF(vcpu.get() == &caller, Error::argument_invalid);
    RunReport report;
    const RunStart start = scheduler().run_proxy(vcpu, a.x[1], report);
    if (start == RunStart::runs) {
        return Outcome::later();
    }
    return start == RunStart::reported ? give(caller, report) : fail(static_cast<Error>(start));
}

/// x0 vCPU, x4 zero: the document reserves the same argument as for vcpu_run.
Outcome vcpu_run_check(Vcpu& caller, Arguments a) {
    return on_any<Vcpu>(caller, a, GH_RIGHT_THREAD_STATE, a.x[4], [&](Vcpu& vcpu) -> Outcome {
        const auto report = vcpu.check();
        return report ? give(caller, *report) : fail(report.error());
    });
}

[[gnu::always_inline]] inline Outcome scheduler_yield(Vcpu& caller, Arguments a) {
    RT_FAIL_IF(a.x[2] != 0, Error::argument_invalid);
    switch (a.x[0]) {
    case GH_YIELD_GENERIC:
        scheduler().yield();
        return Outcome();
    case GH_YIELD_TO_THREAD: {
        auto target = RT_TRY(vcpu_of(caller, a.x[1], GH_RIGHT_THREAD_YIELD_TO));
        scheduler().yield_to(*target);
        return Outcome();
    }
    case GH_YIELD_TO_LOWER_PRIORITY:
        RT_FAIL_IF(a.x[1] > GH_VCPU_PRIORITY_MAX, Error::argument_invalid);
        scheduler().yield_to_priority(a.x[1]);
        return Outcome();
    default: // there are no implementation-defined kinds
        return fail(Error::argument_invalid);
    }
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_THREAD, create<Vcpu, make_thread>},
    {GH_VCPU_CONFIGURE, any_state<&Vcpu::configure, GH_RIGHT_OBJECT_ACTIVATE>},
    {GH_CSPACE_ATTACH_THREAD, entry<cspace_attach_thread>},
    {GH_ADDRSPACE_ATTACH_THREAD, entry<addrspace_attach_thread>},
    {GH_VCPU_POWERON, entry<vcpu_poweron>},
    {GH_VCPU_POWEROFF, entry<vcpu_poweroff>},
    {GH_VCPU_KILL, any_state<&Vcpu::kill, GH_RIGHT_THREAD_LIFECYCLE>},
    {GH_VCPU_SET_AFFINITY, entry<vcpu_set_affinity>},
    {GH_VCPU_SET_PRIORITY, entry<vcpu_set_priority>},
    {GH_VCPU_SET_TIMESLICE, entry<vcpu_set_timeslice>},
    {GH_VCPU_BIND_VIRQ, entry<vcpu_bind_virq>},
    {GH_VCPU_UNBIND_VIRQ, any_state<&Vcpu::unbind_virq, GH_RIGHT_THREAD_BIND_VIRQ>},
    {GH_VCPU_REGISTER_WRITE, any_state<&Vcpu::write_register, GH_RIGHT_THREAD_WRITE_CONTEXT>},
    {GH_VCPU_RUN, entry<vcpu_run>},
    {GH_VCPU_RUN_CHECK, entry<vcpu_run_check>},
    {GH_SCHEDULER_YIELD, entry<scheduler_yield>},
};

} // namespace

constinit const std::span<const HypercallEntry> vcpu_calls = entries;

} // namespace hyp
