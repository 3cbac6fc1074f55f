// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls that set no more registers than they must, so that the caller's side costs little.
#pragma once

#include <cstdint>

namespace bench {

/// hvc with up to five arguments; what it does not set is the callee's (Arm DEN0028, 2.6).
template <std::uint16_t Immediate>
[[gnu::always_inline]] inline std::uint64_t hvc(std::uint64_t a, std::uint64_t b = 0,
                                                std::uint64_t c = 0, std::uint64_t d = 0,
                                                std::uint64_t e = 0) {
    register std::uint64_t x0 asm("x0") = a;
    register std::uint64_t x1 asm("x1") = b;
    register std::uint64_t x2 asm("x2") = c;
    register std::uint64_t x3 asm("x3") = d;
    register std::uint64_t x4 asm("x4") = e;
    asm volatile("hvc %5"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4)
                 : "i"(static_cast<unsigned>(Immediate))
                 : "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
                   "x17", "memory");
    return x0;
}

template <std::uint16_t Immediate>
[[gnu::always_inline]] inline std::uint64_t hvc1(std::uint64_t a) {
    register std::uint64_t x0 asm("x0") = a;
    asm volatile("hvc %1"
                 : "+r"(x0)
                 : "i"(static_cast<unsigned>(Immediate))
                 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13",
                   "x14", "x15", "x16", "x17", "memory");
    return x0;
}

} // namespace bench
