// SPDX-License-Identifier: BSD-3-Clause
// hypervisor_identify in both call forms, and numbers behind which there is no call.
#include "calls/hypercall.hpp"
#include "check/tables.hpp"

namespace test {

namespace {

void check_identity(const CallRegisters& r) {
    expect_equal("API version", r.x[0] & 0x3fff, GH_API_VERSION);
    expect_equal("big-endian flag", r.x[0] >> 14 & 1, 0);
    expect_equal("64-bit flag", r.x[0] >> 15 & 1, 1);
    expect_equal("reserved bits 55:16", r.x[0] >> 16 & 0xffffffffff, 0);
    expect_equal("variant", r.x[0] >> GH_API_VARIANT_SHIFT, 'H');
    const std::uint64_t needed = GH_FEATURE_PARTITION_CSPACE | GH_FEATURE_DOORBELL |
                                 GH_FEATURE_MSGQUEUE | GH_FEATURE_VIC | GH_FEATURE_VPM |
                                 GH_FEATURE_VCPU | GH_FEATURE_MEMEXTENT;
    expect_equal("feature flags", r.x[1] & needed, needed);
    expect_equal("reserved feature flags", r.x[1] & ~std::uint64_t{0xff}, 0);
    expect_equal("API flags 1", r.x[2], 0);
    expect_equal("our extensions", r.x[3], GH_EXT_FEATURE_DOORBELL_RING);
}

void by_smccc() {
    check_identity(hvc(GH_SMCCC_BASE + GH_HYPERVISOR_IDENTIFY));
}

void by_immediate() {
    check_identity(hvc<GH_HVC_IMM_BASE + GH_HYPERVISOR_IDENTIFY>(0xdead, 0xdead, 0xdead, 0xdead));
}

// The function identifier is W0 alone (DEN0028, 2.5).
void upper_half_of_identifier_is_ignored() {
    check_identity(hvc(0xabcd'0000'0000'0000 | GH_SMCCC_BASE));
}

void unknown_numbers() {
    const std::uint64_t no_call = 0x08; // reserved in the public document
    expect_equal("call 0x08", hvc(GH_SMCCC_BASE + no_call).x[0], not_supported);
    expect_equal("call 0x1ff", hvc(GH_SMCCC_LAST).x[0], not_supported);
    expect_equal("hvc #0x6008", hvc<GH_HVC_IMM_BASE + 0x08>(1, 2, 3).x[0], not_supported);
    expect_equal("hvc #0x61ff", hvc<GH_HVC_IMM_LAST>(1, 2, 3).x[0], not_supported);
}

void numbers_around_the_range() {
    expect_equal("0xc6007fff", hvc(GH_SMCCC_BASE - 1).x[0], not_supported);
    expect_equal("0xc6008200", hvc(GH_SMCCC_LAST + 1).x[0], not_supported);
    expect_equal("0xc600ffff", hvc(0xc600ffff).x[0], not_supported);
}

void other_immediates() {
    expect_equal("hvc #1", hvc<1>(GH_SMCCC_BASE).x[0], not_supported);
    expect_equal("hvc #0x5fff", hvc<0x5fff>(GH_SMCCC_BASE).x[0], not_supported);
    expect_equal("hvc #0x6200", hvc<0x6200>(GH_SMCCC_BASE).x[0], not_supported);
    expect_equal("hvc #0xffff", hvc<0xffff>(GH_SMCCC_BASE).x[0], not_supported);
}

// Only the Resource Manager holds a partition: without one, nothing can be created.
void creation_needs_a_partition() {
    for (const std::uint32_t number :
         {GH_PARTITION_CREATE_PARTITION, GH_PARTITION_CREATE_CSPACE, GH_PARTITION_CREATE_ADDRSPACE,
          GH_PARTITION_CREATE_MEMEXTENT, GH_PARTITION_CREATE_THREAD, GH_PARTITION_CREATE_DOORBELL,
          GH_PARTITION_CREATE_MSGQUEUE, GH_PARTITION_CREATE_VIC, GH_PARTITION_CREATE_VPM_GROUP}) {
        for (const std::uint64_t cap : {0ULL, 1ULL, GH_CAPID_INVALID}) {
            const std::int64_t error = hypercall(number, cap, cap).error;
            if (error == GH_ERROR_OK) {
                fail("call {x} created something from capability {x}", number, cap);
            }
        }
    }
}

// Our own extensions answer the Resource Manager only.
void extensions_are_refused() {
    expect(hypercall(GH_EXT_QUERY_COUNTER, 1, 0).error > 0, "QUERY_COUNTER is refused");
    expect(hypercall(GH_EXT_CONSOLE_WRITE, 1, 1, 'x').error > 0, "CONSOLE_WRITE is refused");
}

constexpr Check checks[] = {
    {"identify.smccc", by_smccc},
    {"identify.immediate", by_immediate},
    {"identify.identifier_is_32_bits", upper_half_of_identifier_is_ignored},
    {"identify.unknown_numbers", unknown_numbers},
    {"identify.numbers_around_the_range", numbers_around_the_range},
    {"identify.other_immediates", other_immediates},
    {"identify.creation_needs_a_partition", creation_needs_a_partition},
    {"identify.extensions_are_refused", extensions_are_refused},
};

} // namespace

std::span<const Check> identification_checks() {
    return checks;
}

} // namespace test
