// SPDX-License-Identifier: BSD-3-Clause
// What of the CPU one vCPU may use beyond what all may: asked for before activation, and there.
#pragma once

namespace hyp {

struct GuestFeatures {
    bool sve = false; // FEAT_SVE: Z and P registers
    bool pmu = false; // FEAT_PMUv3: performance counters
};

} // namespace hyp
