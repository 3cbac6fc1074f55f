// SPDX-License-Identifier: BSD-3-Clause
// Access to system registers by name or by encoding (s3_4_c1_c2_2), and the barrier they need.
#pragma once

#include <cstdint>

/// The value of a system register. Volatile: never merged with another read or moved across one.
#define HYP_READ_SYSREG(name)                                                                      \
    ([] {                                                                                          \
        std::uint64_t sysreg_value;                                                                \
        asm volatile("mrs %0, " #name : "=r"(sysreg_value));                                       \
        return sysreg_value;                                                                       \
    }())

/// Writes a system register; takes effect at the latest after the next isb().
#define HYP_WRITE_SYSREG(name, value)                                                              \
    do {                                                                                           \
        const std::uint64_t sysreg_written = (value);                                              \
        asm volatile("msr " #name ", %x0" : : "rZ"(sysreg_written) : "memory");                    \
    } while (false)

/// The four-bit field of an identification register whose lowest bit is `lsb`.
#define HYP_ID_FIELD(name, lsb) (static_cast<unsigned>(HYP_READ_SYSREG(name) >> (lsb)) & 0xf)

namespace hyp::arch {

/// Context synchronization: instructions after it see all system register writes before it.
inline void isb() {
    asm volatile("isb" : : : "memory");
}

// A system register is named in the instruction, so that each index needs its own.
// clang-format off: it would move the cases at every run
#define HYP_EACH_OF_16(DO, what) \
    DO(what, 15) DO(what, 14) DO(what, 13) DO(what, 12) DO(what, 11) DO(what, 10) DO(what, 9) \
    DO(what, 8) DO(what, 7) DO(what, 6) DO(what, 5) DO(what, 4) HYP_EACH_OF_4(DO, what)
#define HYP_EACH_OF_4(DO, what) DO(what, 3) DO(what, 2) DO(what, 1) DO(what, 0)

// Functions that only read or write one register.
#define HYP_READER(function, name) \
    inline std::uint64_t function() { return HYP_READ_SYSREG(name); }
#define HYP_WRITER(function, name) \
    inline void function(std::uint64_t value) { HYP_WRITE_SYSREG(name, value); }
// clang-format on

} // namespace hyp::arch
