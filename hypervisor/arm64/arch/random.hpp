// SPDX-License-Identifier: BSD-3-Clause
// The CPU's own random numbers (FEAT_RNG).
#pragma once

#include <arch/sysreg.hpp>

#include <cstdint>
#include <optional>

namespace hyp::arch {

/// 64 bits from RNDR, or nothing: no FEAT_RNG (ID_AA64ISAR0_EL1.RNDR), or the generator failed,
/// which it tells by NZCV = 0b0100 (Arm ARM, RNDR).
inline std::optional<std::uint64_t> read_rndr() {
    if ((HYP_READ_SYSREG(id_aa64isar0_el1) >> 60) == 0) {
        return std::nullopt;
    }
    std::uint64_t value;
    std::uint64_t failed;
    asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, eq" : "=r"(value), "=r"(failed) : : "cc");
    return failed != 0 ? std::nullopt : std::optional<std::uint64_t>(value);
}

} // namespace hyp::arch
