// SPDX-License-Identifier: BSD-3-Clause
// Calls to whoever is below EL1: hvc and smc in every form, with all result registers.
#pragma once

#include <cstdint>

namespace test {

/// x0 to x7 before and after a call.
struct CallRegisters {
    std::uint64_t x[8] = {};
};

namespace detail {

/// `Immediate` of the HVC (or SMC) instruction; x8 to x17 are the callee's (Arm DEN0028, 2.6).
template <bool Smc, std::uint16_t Immediate>
inline CallRegisters call(const CallRegisters& in) {
    register std::uint64_t x0 asm("x0") = in.x[0];
    register std::uint64_t x1 asm("x1") = in.x[1];
    register std::uint64_t x2 asm("x2") = in.x[2];
    register std::uint64_t x3 asm("x3") = in.x[3];
    register std::uint64_t x4 asm("x4") = in.x[4];
    register std::uint64_t x5 asm("x5") = in.x[5];
    register std::uint64_t x6 asm("x6") = in.x[6];
    register std::uint64_t x7 asm("x7") = in.x[7];
    if constexpr (Smc) {
        asm volatile(
            "smc %8"
            : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
            : "i"(static_cast<unsigned>(Immediate))
            : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
    } else {
        asm volatile(
            "hvc %8"
            : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
            : "i"(static_cast<unsigned>(Immediate))
            : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
    }
    return {{x0, x1, x2, x3, x4, x5, x6, x7}};
}

} // namespace detail

template <std::uint16_t Immediate = 0>
CallRegisters hvc(std::uint64_t x0, std::uint64_t x1 = 0, std::uint64_t x2 = 0,
                  std::uint64_t x3 = 0, std::uint64_t x4 = 0, std::uint64_t x5 = 0,
                  std::uint64_t x6 = 0, std::uint64_t x7 = 0) {
    return detail::call<false, Immediate>({{x0, x1, x2, x3, x4, x5, x6, x7}});
}

template <std::uint16_t Immediate = 0>
CallRegisters smc(std::uint64_t x0, std::uint64_t x1 = 0, std::uint64_t x2 = 0,
                  std::uint64_t x3 = 0) {
    return detail::call<true, Immediate>({{x0, x1, x2, x3, 0, 0, 0, 0}});
}

inline constexpr std::uint64_t not_supported = ~std::uint64_t{0};

} // namespace test
