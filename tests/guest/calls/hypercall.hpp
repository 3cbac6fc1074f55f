// SPDX-License-Identifier: BSD-3-Clause
// Gunyah hypercalls in both forms.
#pragma once

#include "calls/smccc.hpp"

#include <abi/error.h>
#include <abi/hypercall.h>

#include <cstdint>

namespace test {

/// Error code in x0, then x1 to x4.
struct HypercallResult {
    std::int64_t error;
    std::uint64_t x1;
    std::uint64_t x2;
    std::uint64_t x3;
    std::uint64_t x4;
};

inline HypercallResult hypercall_result(const CallRegisters& r) {
    return {static_cast<std::int64_t>(r.x[0]), r.x[1], r.x[2], r.x[3], r.x[4]};
}

/// By SMCCC: arguments from x1.
inline HypercallResult hypercall(std::uint32_t number, std::uint64_t a = 0, std::uint64_t b = 0,
                                 std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0,
                                 std::uint64_t f = 0, std::uint64_t g = 0) {
    return hypercall_result(hvc(GH_SMCCC_BASE + number, a, b, c, d, e, f, g));
}

/// By hvc #(0x6000 + number): arguments from x0.
template <std::uint16_t Number>
HypercallResult hypercall_by_immediate(std::uint64_t a = 0, std::uint64_t b = 0,
                                       std::uint64_t c = 0, std::uint64_t d = 0,
                                       std::uint64_t e = 0) {
    return hypercall_result(hvc<GH_HVC_IMM_BASE + Number>(a, b, c, d, e));
}

} // namespace test
