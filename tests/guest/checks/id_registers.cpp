// SPDX-License-Identifier: BSD-3-Clause
// ID registers: what a VM must not be told of reads zero, what it needs is there, and the reserved
// part of the ID space reads zero.
#include "check/tables.hpp"
#include "machine/exceptions.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

void expect_hidden(const char* name, std::uint64_t value, unsigned lsb) {
    const std::uint64_t field = value >> lsb & 0xf;
    if (field != 0) {
        fail("{} reads {x}", name, field);
    }
}

void processor_features() {
    const std::uint64_t pfr0 = READ_SYSREG(id_aa64pfr0_el1);
    expect_hidden("EL2", pfr0, 8);
    expect_hidden("RAS", pfr0, 28);
    expect_hidden("SEL2", pfr0, 36);
    expect_hidden("MPAM", pfr0, 40);
    expect_hidden("AMU", pfr0, 44);
    expect_equal("GIC system registers", pfr0 >> 24 & 0xf, 1);
    expect((pfr0 >> 4 & 0xf) >= 1, "EL1 exists");
    expect((pfr0 >> 16 & 0xf) != 0xf, "FP exists");
    expect((pfr0 >> 20 & 0xf) != 0xf, "Advanced SIMD exists");
    const std::uint64_t pfr1 = READ_SYSREG(id_aa64pfr1_el1);
    expect_hidden("MTE", pfr1, 8);
    expect_hidden("RAS_frac", pfr1, 12);
    expect_hidden("MPAM_frac", pfr1, 16);
    expect_hidden("SME", pfr1, 24);
    expect_hidden("NMI", pfr1, 36);
}

void debug_features() {
    const std::uint64_t dfr0 = READ_SYSREG(id_aa64dfr0_el1);
    expect_hidden("TraceVer", dfr0, 4);
    expect_hidden("PMSVer", dfr0, 32);
    expect_hidden("TraceFilt", dfr0, 40);
    expect_hidden("TraceBuffer", dfr0, 44);
    expect_hidden("MTPMU", dfr0, 48);
    expect_hidden("BRBE", dfr0, 52);
    expect((dfr0 & 0xf) >= 6, "the debug architecture is Armv8");
    expect((dfr0 >> 12 & 0xf) >= 1, "there are breakpoints");
    expect_equal("ID_AA64DFR1_EL1", READ_SYSREG(id_aa64dfr1_el1), 0);
    expect_equal("ID_AA64AFR0_EL1", READ_SYSREG(id_aa64afr0_el1), 0);
}

void memory_features() {
    const std::uint64_t mmfr1 = READ_SYSREG(id_aa64mmfr1_el1);
    expect_hidden("VMIDBits", mmfr1, 4);
    expect_hidden("VH", mmfr1, 8);
    expect_hidden("LO", mmfr1, 16);
    expect_hidden("SpecSEI", mmfr1, 24);
    expect_hidden("XNX", mmfr1, 28);
    expect_hidden("HCX", mmfr1, 40);
    const std::uint64_t mmfr2 = READ_SYSREG(id_aa64mmfr2_el1);
    expect_hidden("NV", mmfr2, 24);
    expect_hidden("FWB", mmfr2, 40);
    expect_hidden("EVT", mmfr2, 56);
    const std::uint64_t mmfr0 = READ_SYSREG(id_aa64mmfr0_el1);
    expect_hidden("FGT", mmfr0, 56);
    expect_hidden("ECV", mmfr0, 60);
    expect((mmfr0 >> 28 & 0xf) != 0xf, "4 KiB pages exist");
}

void instruction_features() {
    const std::uint64_t isar0 = READ_SYSREG(id_aa64isar0_el1);
    expect_hidden("TME", isar0, 24);
    const std::uint64_t isar1 = READ_SYSREG(id_aa64isar1_el1);
    expect_hidden("LS64", isar1, 60);
    expect_hidden("XS", isar1, 56);
    expect_equal("ID_AA64SMFR0_EL1", READ_SYSREG(s3_0_c0_c4_5), 0);
}

// The space S3_0_C0_C1..C7_0..7 that is not allocated reads as zero rather than trap (D17.3.2).
void reserved_id_registers() {
    expect_equal("S3_0_C0_C4_3", READ_SYSREG(s3_0_c0_c4_3), 0);
    expect_equal("S3_0_C0_C4_6", READ_SYSREG(s3_0_c0_c4_6), 0);
    expect_equal("S3_0_C0_C5_2", READ_SYSREG(s3_0_c0_c5_2), 0);
    expect_equal("S3_0_C0_C5_7", READ_SYSREG(s3_0_c0_c5_7), 0);
    expect_equal("S3_0_C0_C6_7", READ_SYSREG(s3_0_c0_c6_7), 0);
    expect_equal("S3_0_C0_C7_7", READ_SYSREG(s3_0_c0_c7_7), 0);
}

// The virtual MIDR is the physical one; REVIDR and CTR can be read.
void identification_is_readable() {
    expect(READ_SYSREG(midr_el1) != 0, "MIDR_EL1 is not zero");
    (void)READ_SYSREG(revidr_el1);
    expect((READ_SYSREG(ctr_el0) >> 31 & 1) == 1, "CTR_EL0 bit 31 is one");
    expect_equal("DCZID_EL0.DZP", READ_SYSREG(dczid_el0) >> 4 & 1, 0);
    (void)READ_SYSREG(clidr_el1);
    (void)READ_SYSREG(ccsidr_el1);
    (void)READ_SYSREG(aidr_el1);
    expect_equal("ACTLR_EL1", READ_SYSREG(actlr_el1), 0);
}

void written_id_register() {
    const auto taken = catch_exception([] {
        asm volatile("msr s3_0_c0_c4_0, xzr" : : : "memory"); // ID_AA64PFR0_EL1 is read-only
    });
    expect(taken.has_value(), "a write of an ID register is an exception");
    expect_equal("its class", taken->ec(), ec_unknown);
}

constexpr Check checks[] = {
    {"id.processor_features", processor_features},
    {"id.debug_features", debug_features},
    {"id.memory_features", memory_features},
    {"id.instruction_features", instruction_features},
    {"id.reserved_registers", reserved_id_registers},
    {"id.identification_is_readable", identification_is_readable},
    {"id.written_id_register", written_id_register, Needs::nothing},
};

} // namespace

std::span<const Check> id_register_checks() {
    return checks;
}

} // namespace test
