// SPDX-License-Identifier: BSD-3-Clause
// What of the CPU one vCPU may use beyond what all may: asked for before activation, and there.
#pragma once

#include <bit>

namespace hyp {

/// SVE vector length in bytes, 0 for none, that a vCPU finds on every CPU: `common` to those before
/// and `here` the longest of one more. A CPU has all powers of two below its longest length, but
/// not all others (Arm ARM, FEAT_SVE, ZCR_EL1.LEN).
constexpr unsigned common_vector_bytes(unsigned common, unsigned here) {
    return here < common ? std::bit_floor(here) : common;
}

struct GuestFeatures {
    bool sve = false; // FEAT_SVE: Z and P registers
    bool pmu = false; // FEAT_PMUv3: performance counters
};

} // namespace hyp
