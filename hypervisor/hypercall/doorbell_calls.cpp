// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on doorbells (public API document, "Doorbell Management").
#include "hypercall/on_object.hpp"
#include "ipc/doorbell.hpp"
#include "vcpu/wakeup_collector.hpp"

namespace hyp {

namespace {

/// x0 doorbell, x1 flags, x2 zero -> flags before, the vCPUs whose wake-up is left to the caller
/// (bit n: n).
Outcome doorbell_ring(Vcpu& caller, Arguments a) {
    return on_active<Doorbell>(
        caller, a, GH_RIGHT_DOORBELL_SEND, a.x[2], [&](Doorbell& bell) -> Outcome {
            const WakeupCollector wakeups(caller.interrupts.vic());
            const auto flags = bell.send(a.x[1]);
            return flags ? give(caller, *flags, wakeups.vcpus()) : fail(flags.error());
        });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_DOORBELL, create<Doorbell>},
    {GH_DOORBELL_BIND_VIRQ, bind_virq<&Doorbell::bind, GH_RIGHT_DOORBELL_BIND>},
    {GH_DOORBELL_UNBIND_VIRQ, active<&Doorbell::unbind, GH_RIGHT_DOORBELL_BIND>},
    {GH_DOORBELL_SEND, active<&Doorbell::send, GH_RIGHT_DOORBELL_SEND>},
    {GH_EXT_DOORBELL_RING, entry<doorbell_ring>},
    {GH_DOORBELL_RECEIVE, active<&Doorbell::receive, GH_RIGHT_DOORBELL_RECEIVE>},
    {GH_DOORBELL_RESET, active<&Doorbell::reset_flags, GH_RIGHT_DOORBELL_RECEIVE>},
    {GH_DOORBELL_MASK, active<&Doorbell::set_masks, GH_RIGHT_DOORBELL_RECEIVE>},
};

} // namespace

constinit const std::span<const HypercallEntry> doorbell_calls = entries;

} // namespace hyp
