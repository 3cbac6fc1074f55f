// SPDX-License-Identifier: BSD-3-Clause
// The SMC Calling Convention's own functions (Arm DEN0028, section 7) and the vendor's identity.
#include "calls/smccc.hpp"

#include "check/tables.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

constexpr std::uint32_t smccc_version = 0x80000000;
constexpr std::uint32_t smccc_arch_features = 0x80000001;
constexpr std::uint32_t vendor_uid = 0x8600ff01;

void version() {
    expect_equal("SMCCC_VERSION", hvc(smccc_version).x[0], 0x10003);
    expect_equal("the same by SMC", smc(smccc_version).x[0], 0x10003);
}

void features() {
    expect_equal("ARCH_FEATURES(VERSION)", hvc(smccc_arch_features, smccc_version).x[0], 0);
    expect_equal("ARCH_FEATURES(ARCH_FEATURES)", hvc(smccc_arch_features, smccc_arch_features).x[0],
                 0);
    expect_equal("ARCH_FEATURES(unknown)", hvc(smccc_arch_features, 0x80001234).x[0],
                 not_supported);
}

// Bit 16 of a fast call says that no SVE state need be kept, and nothing else.
void sve_hint() {
    expect_equal("SMCCC_VERSION with the hint", hvc(smccc_version | 1u << 16).x[0], 0x10003);
    expect_equal("PSCI_VERSION with the hint", hvc(0x84010000).x[0], 0x10001);
}

// QEMU's firmware knows no workaround, so the CPU's own word counts: CSV2.
void workarounds() {
    const std::uint64_t csv2 = READ_SYSREG(id_aa64pfr0_el1) >> 56 & 0xf;
    expect_equal("ARCH_FEATURES(WORKAROUND_1)", hvc(smccc_arch_features, 0x80008000).x[0],
                 csv2 >= 1 ? 1 : not_supported);
    expect_equal("ARCH_FEATURES(WORKAROUND_3)", hvc(smccc_arch_features, 0x80003fff).x[0],
                 csv2 >= 3 ? 1 : not_supported);
    const CallRegisters called = hvc(0x80008000, 1, 2, 3);
    expect_equal("x0 after WORKAROUND_1", called.x[0], 0x80008000);
    expect_equal("x3 after WORKAROUND_1", called.x[3], 3);
}

void random_numbers() {
    constexpr std::uint32_t trng_version = 0x84000050;
    constexpr std::uint32_t trng_rnd64 = 0xc4000053;
    const bool offered = hvc(trng_version).x[0] == 0x10000;
    const CallRegisters first = hvc(trng_rnd64, 192);
    if (!offered) {
        expect_equal("TRNG_RND64 without a TRNG", first.x[0], not_supported);
        return;
    }
    const CallRegisters second = hvc(trng_rnd64, 192);
    expect_equal("TRNG_RND64", first.x[0] | second.x[0], 0);
    expect(first.x[1] != second.x[1] && first.x[2] != second.x[2] && first.x[3] != second.x[3] &&
               first.x[3] != first.x[2],
           "numbers differ");
    expect_equal("bits beyond the 10 asked for", hvc(trng_rnd64, 10).x[3] >> 10, 0);
    expect_equal("TRNG_RND64 of 193 bits", hvc(trng_rnd64, 193).x[0], -2ull);
}

// c1d58fcd-a453-5fdb-9265-ce36673d5f14, four bytes per register, little-endian.
void uid() {
    const CallRegisters r = hvc(vendor_uid);
    expect_equal("word 0", r.x[0], 0xcd8fd5c1);
    expect_equal("word 1", r.x[1], 0xdb5f53a4);
    expect_equal("word 2", r.x[2], 0x36ce6592);
    expect_equal("word 3", r.x[3], 0x145f3d67);
}

void unknown_functions() {
    for (const std::uint32_t function : {0x8000ffffu, 0x82000001u, 0xc2000000u, 0x83000000u,
                                         0x86001234u, 0xb2000000u, 0x00000000u, 0x7fffffffu}) {
        if (const std::uint64_t got = hvc(function).x[0]; got != not_supported) {
            fail("function {x} by HVC: got {x}", function, got);
        }
        if (const std::uint64_t got = smc(function).x[0]; got != not_supported) {
            fail("function {x} by SMC: got {x}", function, got);
        }
    }
}

void other_smc_immediates() {
    expect_equal("smc #1", smc<1>(smccc_version).x[0], not_supported);
    expect_equal("smc #0x6000", smc<0x6000>(smccc_version).x[0], not_supported);
}

constexpr Check checks[] = {
    {"smccc.version", version},
    {"smccc.features", features},
    {"smccc.sve_hint", sve_hint},
    {"smccc.workarounds", workarounds},
    {"smccc.random_numbers", random_numbers},
    {"smccc.vendor_uid", uid},
    {"smccc.unknown_functions", unknown_functions},
    {"smccc.other_smc_immediates", other_smc_immediates},
};

} // namespace

std::span<const Check> smccc_checks() {
    return checks;
}

} // namespace test
