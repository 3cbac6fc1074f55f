// SPDX-License-Identifier: BSD-3-Clause
// The SMC Calling Convention's own functions (Arm DEN0028, section 7) and the vendor's identity.
#include "calls/smccc.hpp"

#include "check/tables.hpp"

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
    {"smccc.vendor_uid", uid},
    {"smccc.unknown_functions", unknown_functions},
    {"smccc.other_smc_immediates", other_smc_immediates},
};

} // namespace

std::span<const Check> smccc_checks() {
    return checks;
}

} // namespace test
