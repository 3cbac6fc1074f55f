// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on doorbells (public API document, "Doorbell Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "hypercall/on_object.hpp"
#include "ipc/doorbell.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/wakeup_collector.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

namespace {

/// x0 doorbell, x1 VIC, x2 interrupt, x3 zero.
Outcome doorbell_bind_virq(Vcpu& caller, Arguments a) {
    return bind_source<Doorbell>(
        caller, a, GH_RIGHT_DOORBELL_BIND, a.x[3],
        [](Doorbell& bell, Vic& vic, VirqInfo info) { return bell.bind(vic, info); });
}

/// x0 doorbell, x1 zero.
Outcome doorbell_unbind_virq(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(caller, a, GH_RIGHT_DOORBELL_BIND, a.x[1],
                               [](Doorbell& bell) { bell.unbind(); });
}

/// x0 doorbell, x1 flags, x2 zero -> flags before.
Outcome doorbell_send(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(caller, a, GH_RIGHT_DOORBELL_SEND, a.x[2],
                               [&](Doorbell& bell) { return bell.send(a.x[1]); });
}

/// As doorbell_send -> flags before, the vCPUs whose wake-up is left to the caller (bit n: n).
Outcome doorbell_ring(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(
        caller, a, GH_RIGHT_DOORBELL_SEND, a.x[2], [&](Doorbell& bell) -> Outcome {
            const WakeupCollector wakeups(caller.interrupts.vic());
            const auto flags = bell.send(a.x[1]);
            return flags ? give(caller, *flags, wakeups.vcpus()) : fail(flags.error());
        });
}

/// x0 doorbell, x1 flags to clear, x2 zero -> flags before.
Outcome doorbell_receive(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(caller, a, GH_RIGHT_DOORBELL_RECEIVE, a.x[2],
                               [&](Doorbell& bell) { return bell.receive(a.x[1]); });
}

/// x0 doorbell, x1 zero.
Outcome doorbell_reset(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(caller, a, GH_RIGHT_DOORBELL_RECEIVE, a.x[1],
                               [](Doorbell& bell) { return bell.reset_flags(); });
}

/// x0 doorbell, x1 enable mask, x2 acknowledge mask, x3 zero.
Outcome doorbell_mask(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(caller, a, GH_RIGHT_DOORBELL_RECEIVE, a.x[3],
                               [&](Doorbell& bell) { return bell.set_masks(a.x[1], a.x[2]); });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_DOORBELL, entry<create_object<Doorbell>>},
    {GH_DOORBELL_BIND_VIRQ, entry<doorbell_bind_virq>},
    {GH_DOORBELL_UNBIND_VIRQ, entry<doorbell_unbind_virq>},
    {GH_DOORBELL_SEND, entry<doorbell_send>},
    {GH_EXT_DOORBELL_RING, entry<doorbell_ring>},
    {GH_DOORBELL_RECEIVE, entry<doorbell_receive>},
    {GH_DOORBELL_RESET, entry<doorbell_reset>},
    {GH_DOORBELL_MASK, entry<doorbell_mask>},
};

} // namespace

std::span<const HypercallEntry> doorbell_calls() {
    return entries;
}

} // namespace hyp
