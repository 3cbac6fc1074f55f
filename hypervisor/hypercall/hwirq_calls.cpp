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

constexpr HypercallEntry entries[] = {
    {GH_HWIRQ_BIND_VIRQ, bind_virq<&HwIrq::bind, GH_RIGHT_HWIRQ_BIND_VIC>},
    {GH_HWIRQ_UNBIND_VIRQ, active<&HwIrq::unbind, GH_RIGHT_HWIRQ_BIND_VIC>},
};

} // namespace

std::span<const HypercallEntry> hwirq_calls() {
    return entries;
}

} // namespace hyp
