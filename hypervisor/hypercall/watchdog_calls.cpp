// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on watchdogs (public API document, "Watchdog Management").
#include "hypercall/on_object.hpp"
#include "vcpu/watchdog.hpp"

namespace hyp {

namespace {

// Bit 0 of a bind call's flags: the bite's interrupt, else the bark's.
constexpr std::uint64_t unknown_flags = ~std::uint64_t{GH_WATCHDOG_BIND_BITE};

/// x0 watchdog, x1 vCPU, x2 zero.
Outcome watchdog_attach_vcpu(Vcpu& caller, Arguments a) {
    return on_any<Watchdog>(
        caller, a, GH_RIGHT_WATCHDOG_ATTACH_VCPU, a.x[2], [&](Watchdog& dog) -> Result<> {
            auto vcpu = caller.cspace().lookup<Vcpu>(a.x[1], GH_RIGHT_OBJECT_ACTIVATE);
            return vcpu ? (*vcpu)->attach_watchdog(Ref(dog)) : fail(vcpu.error());
        });
}

/// x0 watchdog, x1 VIC, x2 interrupt, x3 flags.
Outcome watchdog_bind_virq(Vcpu& caller, Arguments a) {
    return bind_source<Watchdog>(
        caller, a, GH_RIGHT_WATCHDOG_BIND_VIRQ, a.x[3] & unknown_flags,
        [&](Watchdog& dog, Vic& vic, VirqInfo info) { return dog.bind(a.x[3] != 0, vic, info); });
}

/// x0 watchdog, x1 flags.
Outcome watchdog_unbind_virq(Vcpu& caller, Arguments a) {
    return on_active<Watchdog>(caller, a, GH_RIGHT_WATCHDOG_BIND_VIRQ, a.x[1] & unknown_flags,
                               [&](Watchdog& dog) { dog.unbind(a.x[1] != 0); });
}

/// x0 watchdog, x1 operation. The document names no right; whoever may bind manages.
Outcome watchdog_manage(Vcpu& caller, Arguments a) {
    return on_active<Watchdog>(caller, a, GH_RIGHT_WATCHDOG_BIND_VIRQ, 0,
                               [&](Watchdog& dog) { return dog.manage(a.x[1]); });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_WATCHDOG, create<Watchdog>},
    {GH_WATCHDOG_CONFIGURE, any_state<&Watchdog::configure, GH_RIGHT_OBJECT_ACTIVATE>},
    {GH_WATCHDOG_ATTACH_VCPU, entry<watchdog_attach_vcpu>},
    {GH_WATCHDOG_BIND_VIRQ, entry<watchdog_bind_virq>},
    {GH_WATCHDOG_UNBIND_VIRQ, entry<watchdog_unbind_virq>},
    {GH_WATCHDOG_MANAGE, entry<watchdog_manage>},
};

} // namespace

constinit const std::span<const HypercallEntry> watchdog_calls = entries;

} // namespace hyp
