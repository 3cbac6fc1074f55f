// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on hardware interrupts (public API document, "Interrupt Management").
#include "hypercall/handler.hpp"
#include "interrupt/hwirq.hpp"
#include "interrupt/vic.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

namespace hyp {

using rt::fail;
using rt::Result;

namespace {

/// x0 hardware interrupt, x1 VIC, x2 virtual IRQ info, x3 zero.
Result<Outputs> hwirq_bind_virq(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[3]); !zero) {
        return fail(zero.error());
    }
    auto line = caller.cspace().lookup<HwIrq>(a.x[0], GH_RIGHT_HWIRQ_BIND_VIC);
    if (!line) {
        return fail(line.error());
    }
    auto vic = caller.cspace().lookup<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    const auto info = VirqInfo::decode(a.x[2]);
    return info ? done((*line)->bind(**vic, *info)) : fail(info.error());
}

/// x0 hardware interrupt, x1 zero.
Result<Outputs> hwirq_unbind_virq(Vcpu& caller, const Arguments& a) {
    if (auto zero = require_zero(a.x[1]); !zero) {
        return fail(zero.error());
    }
    auto line = caller.cspace().lookup<HwIrq>(a.x[0], GH_RIGHT_HWIRQ_BIND_VIC);
    if (!line) {
        return fail(line.error());
    }
    (*line)->unbind();
    return Outputs{};
}

constexpr HypercallEntry entries[] = {
    {GH_HWIRQ_BIND_VIRQ, hwirq_bind_virq},
    {GH_HWIRQ_UNBIND_VIRQ, hwirq_unbind_virq},
};

} // namespace

std::span<const HypercallEntry> hwirq_calls() {
    return entries;
}

} // namespace hyp
