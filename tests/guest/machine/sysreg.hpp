// SPDX-License-Identifier: BSD-3-Clause
// Access to system registers by name or by encoding (s3_0_c12_c12_0), and barriers.
#pragma once

#include <cstdint>

/// The value of a system register.
#define READ_SYSREG(name)                                                                          \
    ([] {                                                                                          \
        std::uint64_t value;                                                                       \
        asm volatile("mrs %0, " #name : "=r"(value) : : "memory");                                 \
        return value;                                                                              \
    }())

/// Writes a system register; takes effect at the latest after the next isb().
#define WRITE_SYSREG(name, value)                                                                  \
    do {                                                                                           \
        const std::uint64_t written = (value);                                                     \
        asm volatile("msr " #name ", %x0" : : "rZ"(written) : "memory");                           \
    } while (false)

namespace test {

inline void isb() {
    asm volatile("isb" : : : "memory");
}

/// All memory accesses before it are complete, for every observer.
inline void dsb() {
    asm volatile("dsb sy" : : : "memory");
}

inline void wait_for_interrupt() {
    asm volatile("dsb sy\n\twfi" : : : "memory");
}

inline void unmask_interrupts() {
    asm volatile("msr daifclr, #3" : : : "memory");
}

inline void mask_interrupts() {
    asm volatile("msr daifset, #3" : : : "memory");
}

} // namespace test
