// SPDX-License-Identifier: BSD-3-Clause
// RNDR first, the firmware's TRNG service second.
#include "platform/entropy.hpp"

#include <arch/smccc.hpp>
#include <arch/sysreg.hpp>

namespace hyp {

namespace {

// 64 bits from RNDR, or nothing: no FEAT_RNG (ID_AA64ISAR0_EL1.RNDR), or the generator failed,
// which it tells by NZCV = 0b0100 (Arm ARM, RNDR).
std::optional<std::uint64_t> read_rndr() {
    if ((HYP_READ_SYSREG(id_aa64isar0_el1) >> 60) == 0) {
        return std::nullopt;
    }
    std::uint64_t value;
    std::uint64_t failed;
    asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, eq" : "=r"(value), "=r"(failed) : : "cc");
    return failed != 0 ? std::nullopt : std::optional<std::uint64_t>(value);
}

// DEN0098: TRNG_VERSION fails with a negative value where there is no service; TRNG_RND64 returns
// up to 192 bits, the lowest ones in x3.
constexpr std::uint32_t trng_version = 0x84000050;
constexpr std::uint32_t trng_rnd64 = 0xc4000053;
constexpr std::uint64_t bits_wanted = 64;

std::optional<std::uint64_t> firmware_random() {
    const auto version = static_cast<std::int32_t>(arch::firmware_call(trng_version).x0);
    if (version < 0) {
        return std::nullopt;
    }
    const arch::FirmwareResult result = arch::firmware_call(trng_rnd64, bits_wanted);
    if (static_cast<std::int64_t>(result.x0) != 0) {
        return std::nullopt;
    }
    return result.x3;
}

} // namespace

std::optional<std::uint64_t> entropy_word() {
    const auto word = read_rndr();
    return word ? word : firmware_random();
}

} // namespace hyp
