// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on virtual interrupt controllers and hardware interrupts (public API document,
// "Interrupt Management").
#include "hypercall/on_object.hpp"
#include "interrupt/hwirq.hpp"

namespace hyp {

namespace {

/// x0 VIC, x1 vCPU, x2 index, x3 zero.
Outcome vic_attach_vcpu(Vcpu& caller, Arguments a) {
    return on_any<Vic>(caller, a, GH_RIGHT_VIC_ATTACH_VCPU, a.x[3], [&](Vic& vic) {
        return with<Vcpu>(caller, a.x[1], GH_RIGHT_OBJECT_ACTIVATE,
                          [&](Vcpu& vcpu) { return vcpu.attach_vic(vic, a.x[2]); });
    });
}

/// x0 VIC, x1 MSI source, x2 index, x3 zero. The document knows one type of MSI source, a GICv4
/// ITS, and promises one capability for each; virtual GICs have no LPIs here, so there are none,
/// and whatever the second capability names is of the wrong type.
Outcome vic_bind_msi_source(Vcpu& caller, Arguments a) {
    return on_active<Vic>(caller, a, GH_RIGHT_VIC_BIND_SOURCE, a.x[3], [&](Vic&) -> Result<> {
        const auto source = caller.cspace().lookup_any(a.x[1], GH_RIGHTS_NONE);
        return fail(source ? Error::wrong_object_type : source.error());
    });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_VIC, create<Vic>},
    {GH_VIC_CONFIGURE, any_state<&Vic::configure, GH_RIGHT_OBJECT_ACTIVATE>},
    {GH_VIC_ATTACH_VCPU, entry<vic_attach_vcpu>},
    {GH_VIC_BIND_MSI_SOURCE, entry<vic_bind_msi_source>},
    {GH_HWIRQ_BIND_VIRQ, bind_virq<&HwIrq::bind, GH_RIGHT_HWIRQ_BIND_VIC>},
    {GH_HWIRQ_UNBIND_VIRQ, active<&HwIrq::unbind, GH_RIGHT_HWIRQ_BIND_VIC>},
};

} // namespace

constinit const std::span<const HypercallEntry> interrupt_calls = entries;

} // namespace hyp
