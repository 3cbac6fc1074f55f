// SPDX-License-Identifier: BSD-3-Clause
// The SMC instruction with the registers that its convention names.
#include <arch/smccc.hpp>

namespace hyp::arch {

FirmwareResult firmware_call(std::uint32_t function, std::uint64_t x1, std::uint64_t x2,
                             std::uint64_t x3) {
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
