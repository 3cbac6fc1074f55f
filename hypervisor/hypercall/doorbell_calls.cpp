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

Result<Ref<Doorbell>> doorbell_of(Vcpu& caller, const Arguments& a, std::uint64_t reserved,
                                  std::uint32_t rights) {
    if (auto zero = require_zero(reserved); !zero) {
        return fail(zero.error());
    }
    return caller.cspace().lookup_active<Doorbell>(a.x[0], rights);
}

Result<Outputs> flags(const Result<std::uint64_t>& old_flags) {
    if (!old_flags) {
        return fail(old_flags.error());
    }
    return Outputs{*old_flags};
}

Result<Outputs> partition_create_doorbell(Vcpu& caller, const Arguments& a) {
    return create_object<Doorbell>(caller, a);
}

Result<Outputs> doorbell_bind_virq(Vcpu& caller, const Arguments& a) {
    auto doorbell = doorbell_of(caller, a, a.x[3], GH_RIGHT_DOORBELL_BIND);
    if (!doorbell) {
        return fail(doorbell.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    const auto info = VirqInfo::decode(a.x[2]);
    return info ? done((*doorbell)->bind(**vic, *info)) : fail(info.error());
}

Result<Outputs> doorbell_unbind_virq(Vcpu& caller, const Arguments& a) {
    auto doorbell = doorbell_of(caller, a, a.x[1], GH_RIGHT_DOORBELL_BIND);
    if (!doorbell) {
        return fail(doorbell.error());
    }
    (*doorbell)->unbind();
    return Outputs{};
}

Result<Outputs> doorbell_send(Vcpu& caller, const Arguments& a) {
    auto doorbell = doorbell_of(caller, a, a.x[2], GH_RIGHT_DOORBELL_SEND);
    return doorbell ? flags((*doorbell)->send(a.x[1])) : fail(doorbell.error());
}

Result<Outputs> doorbell_receive(Vcpu& caller, const Arguments& a) {
    auto doorbell = doorbell_of(caller, a, a.x[2], GH_RIGHT_DOORBELL_RECEIVE);
    return doorbell ? flags((*doorbell)->receive(a.x[1])) : fail(doorbell.error());
}

Result<Outputs> doorbell_reset(Vcpu& caller, const Arguments& a) {
    auto doorbell = doorbell_of(caller, a, a.x[1], GH_RIGHT_DOORBELL_RECEIVE);
    return doorbell ? done((*doorbell)->reset_flags()) : fail(doorbell.error());
}

Result<Outputs> doorbell_mask(Vcpu& caller, const Arguments& a) {
    auto doorbell = doorbell_of(caller, a, a.x[3], GH_RIGHT_DOORBELL_RECEIVE);
    return doorbell ? done((*doorbell)->set_masks(a.x[1], a.x[2])) : fail(doorbell.error());
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_DOORBELL, partition_create_doorbell},
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
