// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtual interrupt controllers (public API document, "Interrupt Management").
#include "hypercall/create.hpp"
#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

#include <utility>

namespace hyp {

namespace {

Outcome partition_create_vic(Vcpu& caller, Arguments a) {
    return create_object<Vic>(caller, a);
}

/// x0 VIC, x1 most vCPUs, x2 most shared interrupts, x3 zero.
Outcome vic_configure(Vcpu& caller, Arguments a) {
    if (auto zero = require_zero(a.x[3]); !zero) {
        return fail(zero.error());
    }
    auto vic = caller.cspace().lookup<Vic>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return vic ? done((*vic)->configure(a.x[1], a.x[2])) : fail(vic.error());
}

/// x0 VIC, x1 vCPU, x2 index, x3 zero.
Outcome vic_attach_vcpu(Vcpu& caller, Arguments a) {
    if (auto zero = require_zero(a.x[3]); !zero) {
        return fail(zero.error());
    }
    auto vic = caller.cspace().lookup<Vic>(a.x[0], GH_RIGHT_VIC_ATTACH_VCPU);
    if (!vic) {
        return fail(vic.error());
    }
    auto vcpu = caller.cspace().lookup<Vcpu>(a.x[1], GH_RIGHT_OBJECT_ACTIVATE);
    if (!vcpu) {
        return fail(vcpu.error());
    }
    return done((*vcpu)->attach_vic(**vic, a.x[2]));
}

/// x0 VIC, x1 MSI source, x2 index, x3 zero. The document knows one type of MSI source, a GICv4
/// ITS, and promises one capability for each; virtual GICs have no LPIs here, so there are none,
/// and whatever the second capability names is of the wrong type.
Outcome vic_bind_msi_source(Vcpu& caller, Arguments a) {
    if (auto zero = require_zero(a.x[3]); !zero) {
        return fail(zero.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[0], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    auto source = caller.cspace().lookup_any(a.x[1], GH_RIGHTS_NONE);
    return fail(source ? Error::wrong_object_type : source.error());
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VIC, entry<partition_create_vic>},
    {GH_VIC_CONFIGURE, entry<vic_configure>},
    {GH_VIC_ATTACH_VCPU, entry<vic_attach_vcpu>},
    {GH_VIC_BIND_MSI_SOURCE, entry<vic_bind_msi_source>},
};

} // namespace

std::span<const HypercallEntry> vic_calls() {
    return entries;
}

} // namespace hyp
