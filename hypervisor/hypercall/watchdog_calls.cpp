// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on watchdogs (public API document, "Watchdog Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/watchdog.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

#include <utility>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

/// x0 watchdog, x1 option flags, x2 zero.
Result<Outputs> watchdog_configure(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[2]); !zero) {
        return fail(zero.error());
    }
    auto watchdog = caller.cspace().lookup<Watchdog>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return watchdog ? done((*watchdog)->configure(a.x[1])) : fail(watchdog.error());
}

/// x0 watchdog, x1 vCPU, x2 zero.
Result<Outputs> watchdog_attach_vcpu(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[2]); !zero) {
        return fail(zero.error());
    }
    auto watchdog = caller.cspace().lookup<Watchdog>(a.x[0], GH_RIGHT_WATCHDOG_ATTACH_VCPU);
    if (!watchdog) {
        return fail(watchdog.error());
    }
    auto vcpu = caller.cspace().lookup<Vcpu>(a.x[1], GH_RIGHT_OBJECT_ACTIVATE);
    return vcpu ? done((*vcpu)->attach_watchdog(std::move(*watchdog))) : fail(vcpu.error());
}

/// A watchdog whose interrupt is named by flags: bit 0 the bite's, else the bark's.
Result<Ref<Watchdog>> look_up_for_virq(Vcpu& caller, CapId id, std::uint64_t flags) {
    if ((flags & ~std::uint64_t{GH_WATCHDOG_BIND_BITE}) != 0) {
        return fail(Error::argument_invalid);
    }
    return caller.cspace().lookup_active<Watchdog>(id, GH_RIGHT_WATCHDOG_BIND_VIRQ);
}

/// x0 watchdog, x1 VIC, x2 interrupt, x3 flags.
Result<Outputs> watchdog_bind_virq(Vcpu& caller, const Arguments& a) {
    auto watchdog = look_up_for_virq(caller, a.x[0], a.x[3]);
    if (!watchdog) {
        return fail(watchdog.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    const auto info = VirqInfo::decode(a.x[2]);
    return info ? done((*watchdog)->bind(a.x[3] != 0, **vic, *info)) : fail(info.error());
}

/// x0 watchdog, x1 flags.
Result<Outputs> watchdog_unbind_virq(Vcpu& caller, const Arguments& a) {
    auto watchdog = look_up_for_virq(caller, a.x[0], a.x[1]);
    if (!watchdog) {
        return fail(watchdog.error());
    }
    (*watchdog)->unbind(a.x[1] != 0);
    return Outputs{};
}

/// x0 watchdog, x1 operation. The document names no right; whoever may bind manages.
Result<Outputs> watchdog_manage(Vcpu& caller, const Arguments& a) {
    auto watchdog = caller.cspace().lookup_active<Watchdog>(a.x[0], GH_RIGHT_WATCHDOG_BIND_VIRQ);
    return watchdog ? done((*watchdog)->manage(a.x[1])) : fail(watchdog.error());
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_WATCHDOG, create_object<Watchdog>},
    {GH_WATCHDOG_CONFIGURE, watchdog_configure},
    {GH_WATCHDOG_ATTACH_VCPU, watchdog_attach_vcpu},
    {GH_WATCHDOG_BIND_VIRQ, watchdog_bind_virq},
    {GH_WATCHDOG_UNBIND_VIRQ, watchdog_unbind_virq},
    {GH_WATCHDOG_MANAGE, watchdog_manage},
};

} // namespace

std::span<const HypercallEntry> watchdog_calls() {
    return entries;
}

} // namespace hyp
