// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on doorbells (public API document, "Doorbell Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "ipc/doorbell.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::fail;
using rt::Result;

namespace {

Result<Ref<Doorbell>> look_up(Vcpu& caller, CapId id, std::uint32_t right, std::uint64_t reserved) {
    if (auto zero = require_zero(reserved); !zero) {
        return fail(zero.error());
    }
    return caller.cspace().lookup_active<Doorbell>(id, right);
}

Result<Outputs> one_output(const Result<std::uint64_t>& value) {
    return value ? Result<Outputs>(Outputs{*value}) : fail(value.error());
}

/// x0 doorbell, x1 VIC, x2 interrupt, x3 zero.
Result<Outputs> doorbell_bind_virq(Vcpu& caller, const Arguments& a) {
    auto doorbell = look_up(caller, a.x[0], GH_RIGHT_DOORBELL_BIND, a.x[3]);
    if (!doorbell) {
        return fail(doorbell.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    auto info = VirqInfo::decode(a.x[2]);
    return info ? done((*doorbell)->bind(**vic, *info)) : fail(info.error());
}

/// x0 doorbell, x1 zero.
Result<Outputs> doorbell_unbind_virq(Vcpu& caller, const Arguments& a) {
    auto doorbell = look_up(caller, a.x[0], GH_RIGHT_DOORBELL_BIND, a.x[1]);
    if (!doorbell) {
        return fail(doorbell.error());
    }
    (*doorbell)->unbind();
    return Outputs{};
}

/// x0 doorbell, x1 flags, x2 zero -> flags before.
Result<Outputs> doorbell_send(Vcpu& caller, const Arguments& a) {
    auto doorbell = look_up(caller, a.x[0], GH_RIGHT_DOORBELL_SEND, a.x[2]);
    return doorbell ? one_output((*doorbell)->send(a.x[1])) : fail(doorbell.error());
}

/// x0 doorbell, x1 flags to clear, x2 zero -> flags before.
Result<Outputs> doorbell_receive(Vcpu& caller, const Arguments& a) {
    auto doorbell = look_up(caller, a.x[0], GH_RIGHT_DOORBELL_RECEIVE, a.x[2]);
    return doorbell ? one_output((*doorbell)->receive(a.x[1])) : fail(doorbell.error());
}

/// x0 doorbell, x1 zero.
Result<Outputs> doorbell_reset(Vcpu& caller, const Arguments& a) {
    auto doorbell = look_up(caller, a.x[0], GH_RIGHT_DOORBELL_RECEIVE, a.x[1]);
    return doorbell ? done((*doorbell)->reset_flags()) : fail(doorbell.error());
}

/// x0 doorbell, x1 enable mask, x2 acknowledge mask, x3 zero.
Result<Outputs> doorbell_mask(Vcpu& caller, const Arguments& a) {
    auto doorbell = look_up(caller, a.x[0], GH_RIGHT_DOORBELL_RECEIVE, a.x[3]);
    return doorbell ? done((*doorbell)->set_masks(a.x[1], a.x[2])) : fail(doorbell.error());
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_DOORBELL, create_object<Doorbell>},
    {GH_DOORBELL_BIND_VIRQ, doorbell_bind_virq},
    {GH_DOORBELL_UNBIND_VIRQ, doorbell_unbind_virq},
    {GH_DOORBELL_SEND, doorbell_send},
    {GH_DOORBELL_RECEIVE, doorbell_receive},
    {GH_DOORBELL_RESET, doorbell_reset},
    {GH_DOORBELL_MASK, doorbell_mask},
};

} // namespace

std::span<const HypercallEntry> doorbell_calls() {
    return entries;
}

} // namespace hyp
