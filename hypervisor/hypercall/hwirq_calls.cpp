// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on hardware interrupts (public API document, "Interrupt Management").
#include "hypercall/handler.hpp"
#include "hypercall/on_object.hpp"
#include "interrupt/hwirq.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

namespace {

/// x0 hardware interrupt, x1 VIC, x2 virtual IRQ info, x3 zero.
Outcome hwirq_bind_virq(Vcpu& caller, Arguments a) {
    return bind_source<HwIrq>(
        caller, a, GH_RIGHT_HWIRQ_BIND_VIC, a.x[3],
        [](HwIrq& line, Vic& vic, VirqInfo info) { return line.bind(vic, info); });
}

/// x0 hardware interrupt, x1 zero.
Outcome hwirq_unbind_virq(Vcpu& caller, Arguments a) {
    return on_active<HwIrq>(caller, a, GH_RIGHT_HWIRQ_BIND_VIC, a.x[1],
                            [](HwIrq& line) { line.unbind(); });
}

constexpr HypercallEntry entries[] = {
    {GH_HWIRQ_BIND_VIRQ, entry<hwirq_bind_virq>},
    {GH_HWIRQ_UNBIND_VIRQ, entry<hwirq_unbind_virq>},
};

} // namespace

std::span<const HypercallEntry> hwirq_calls() {
    return entries;
}

} // namespace hyp
