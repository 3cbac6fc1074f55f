// SPDX-License-Identifier: BSD-3-Clause
// Calls to firmware at EL3 by SMC (Arm DEN0028, SMC Calling Convention).
#pragma once

#include <cstdint>

namespace hyp::arch {

struct FirmwareResult {
    std::uint64_t x0, x1, x2, x3;
};

/// Calls firmware. The conduit is always SMC: HVC from EL2 would come back to ourselves.
/// SMCCC 1.0 lets the callee clobber x4-x17, which is assumed.
inline FirmwareResult firmware_call(std::uint32_t function, std::uint64_t x1 = 0,
                                    std::uint64_t x2 = 0, std::uint64_t x3 = 0) {
    register std::uint64_t r0 asm("x0") = function;
    register std::uint64_t r1 asm("x1") = x1;
    register std::uint64_t r2 asm("x2") = x2;
    register std::uint64_t r3 asm("x3") = x3;
    asm volatile("smc #0"
                 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                 :
                 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                   "x16", "x17", "memory");
    return {r0, r1, r2, r3};
}

} // namespace hyp::arch
