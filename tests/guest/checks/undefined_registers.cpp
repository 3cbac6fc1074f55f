// SPDX-License-Identifier: BSD-3-Clause
// Registers and instructions that a VM does not have are UNDEFINED there: one exception to EL1,
// with the syndrome, ELR and registers that hardware would give (never a dead VM).
#include "check/tables.hpp"
#include "machine/exceptions.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

constexpr std::uint64_t undefined_syndrome = 1u << 25; // EC 0, IL

/// Executes what `probe` returns the address of, and checks the exception of exactly that.
void expect_undefined(std::string_view what, std::uint64_t (*probe)()) {
    std::uint64_t at = 0;
    const auto taken = catch_exception([&] { at = probe(); });
    if (!taken) {
        fail("{} is not undefined", what);
    }
    if (taken->esr != undefined_syndrome) {
        fail("{}: ESR {x}, expected {x}", what, taken->esr, undefined_syndrome);
    }
    if (taken->elr != at) {
        fail("{}: ELR is {} bytes from the instruction", what, taken->elr - at);
    }
}

// The address of the instruction is taken before it, so that a register that it clobbered shows.
#define PROBE(instruction)                                                                         \
    [] {                                                                                           \
        std::uint64_t address;                                                                     \
        asm volatile("adr %0, 1f\n1:\t" instruction : "=&r"(address) : : "x1", "memory");          \
        return address;                                                                            \
    }

struct Probe {
    std::string_view name;
    std::uint64_t (*run)();
};

void expect_all_undefined(std::span<const Probe> probes) {
    for (const Probe& probe : probes) {
        expect_undefined(probe.name, probe.run);
    }
}

constexpr Probe el2_registers[] = {
    {"read of HCR_EL2", PROBE("mrs x1, hcr_el2")},
    {"write of HCR_EL2", PROBE("msr hcr_el2, xzr")},
    {"read of VTTBR_EL2", PROBE("mrs x1, vttbr_el2")},
    {"read of SCTLR_EL2", PROBE("mrs x1, sctlr_el2")},
    {"read of ESR_EL2", PROBE("mrs x1, esr_el2")},
    {"write of VBAR_EL2", PROBE("msr vbar_el2, xzr")},
    {"read of CNTHCTL_EL2", PROBE("mrs x1, cnthctl_el2")},
    {"read of CNTVOFF_EL2", PROBE("mrs x1, cntvoff_el2")},
    {"write of ICH_HCR_EL2", PROBE("msr s3_4_c12_c11_0, xzr")},
    {"read of ICH_LR0_EL2", PROBE("mrs x1, s3_4_c12_c12_0")},
    {"read of ICC_SRE_EL2", PROBE("mrs x1, s3_4_c12_c9_5")},
    {"read of SCR_EL3", PROBE("mrs x1, s3_6_c1_c1_0")},
    {"TLBI ALLE2", PROBE("tlbi alle2")},
    {"TLBI VMALLS12E1", PROBE("tlbi vmalls12e1")},
    {"AT S1E2R", PROBE("at s1e2r, xzr")},
    {"read of SCTLR_EL12", PROBE("mrs x1, s3_5_c1_c0_0")},
};

// Not here, because only FEAT_FGT, or nothing, can trap them: TPIDR2_EL0 (SME), DISR_EL1 (RAS).
// That they are no channel between VMs is run.untrapped_registers_are_kept_apart.
constexpr Probe hidden_registers[] = {
    {"read of SMCR_EL1 (SME)", PROBE("mrs x1, s3_0_c1_c2_6")},
    {"read of SVCR (SME)", PROBE("mrs x1, s3_3_c4_c2_2")},
    {"read of GCR_EL1 (MTE)", PROBE("mrs x1, s3_0_c1_c0_6")},
    {"read of TFSR_EL1 (MTE)", PROBE("mrs x1, s3_0_c5_c6_0")},
    {"read of ERRIDR_EL1 (RAS)", PROBE("mrs x1, s3_0_c5_c3_0")},
    {"read of ERXSTATUS_EL1 (RAS)", PROBE("mrs x1, s3_0_c5_c4_2")},
    {"read of MPAM1_EL1", PROBE("mrs x1, s3_0_c10_c5_0")},
    {"read of MPAMIDR_EL1", PROBE("mrs x1, s3_0_c10_c4_4")},
    {"read of AMCR_EL0 (AMU)", PROBE("mrs x1, s3_3_c13_c2_0")},
    {"read of LORC_EL1", PROBE("mrs x1, s3_0_c10_c4_3")},
    {"read of TRFCR_EL1", PROBE("mrs x1, s3_0_c1_c2_1")},
    {"read of TRBLIMITR_EL1", PROBE("mrs x1, s3_0_c9_c11_0")},
    {"read of PMSCR_EL1 (SPE)", PROBE("mrs x1, s3_0_c9_c9_0")},
    {"read of PMBLIMITR_EL1 (SPE)", PROBE("mrs x1, s3_0_c9_c10_0")},
};

// S3_<op1>_C11/C15_Cn_<op2>: left to implementations; CPU errata and power registers live there.
// None that a CPU model of QEMU defines: before version 8.1 it ignores HCR_EL2.TIDCP for those.
constexpr Probe implementation_defined[] = {
    {"read of S3_0_C15_C2_0", PROBE("mrs x1, s3_0_c15_c2_0")},
    {"write of S3_0_C15_C2_0", PROBE("msr s3_0_c15_c2_0, xzr")},
    {"read of S3_1_C15_C7_7", PROBE("mrs x1, s3_1_c15_c7_7")},
    {"read of S3_0_C11_C5_2", PROBE("mrs x1, s3_0_c11_c5_2")},
    {"read of S3_3_C15_C8_0", PROBE("mrs x1, s3_3_c15_c8_0")},
    {"read of S3_7_C15_C15_7", PROBE("mrs x1, s3_7_c15_c15_7")},
    {"SYS #1, C15, C0, #0", PROBE("sys #1, c15, c0, #0, xzr")},
    {"SYS #0, C11, C0, #0", PROBE("sys #0, c11, c0, #0, xzr")},
};

constexpr Probe instructions[] = {
    {"UDF #0", PROBE(".inst 0x00000000")},
    {"an SME instruction (SMSTART)", PROBE(".inst 0xd503477f")},
    {"ERET with a reserved encoding", PROBE(".inst 0xd69f03ff")},
    {"HLT #0", PROBE("hlt #0")},
    {"DCPS1", PROBE("dcps1")},
};

/// While CPACR_EL1.{ZEN,SMEN} are 0 and the CPU has SVE or SME, EL1 traps to itself (EC 0x19, 0x1d)
/// whatever EL2 does. With them set, the hypervisor decides.
class VectorsEnabled {
public:
    VectorsEnabled() : cpacr_(READ_SYSREG(cpacr_el1)) {
        WRITE_SYSREG(cpacr_el1, cpacr_ | 3u << 16 | 3u << 24);
        isb();
    }
    ~VectorsEnabled() {
        WRITE_SYSREG(cpacr_el1, cpacr_);
        isb();
    }
    VectorsEnabled(const VectorsEnabled&) = delete;
    VectorsEnabled& operator=(const VectorsEnabled&) = delete;

private:
    std::uint64_t cpacr_;
};

void el2() {
    expect_all_undefined(el2_registers);
}
void hidden() {
    const VectorsEnabled enabled;
    expect_all_undefined(hidden_registers);
}
void implementation() {
    expect_all_undefined(implementation_defined);
}
void undefined_instructions() {
    const VectorsEnabled enabled;
    expect_all_undefined(instructions);
}

// A read in the space of ID registers: which class it has, ID_AA64MMFR2_EL1.IDS says.
void hidden_id_register() {
    constexpr unsigned ec_system_register = 0x18;
    const std::uint64_t ids = READ_SYSREG(id_aa64mmfr2_el1) >> 36 & 0xf;
    const auto taken = catch_exception([] {
        asm volatile("mrs x1, s3_1_c0_c0_4" : : : "x1", "memory");
    });
    expect(taken.has_value(), "GMID_EL1 (MTE) is undefined");
    expect_equal("class", taken->ec(), ids != 0 ? ec_system_register : ec_unknown);
}

// A failed read changes no register.
void target_register_is_kept() {
    std::uint64_t value = 0x1234'5678'9abc'def0;
    const auto taken = catch_exception([&] {
        asm volatile("mrs %0, s3_3_c13_c2_0" : "+r"(value) : : "memory");
    });
    expect(taken.has_value(), "AMCR_EL0 is undefined");
    expect_equal("the target register", value, 0x1234'5678'9abc'def0);
}

// Exception entry sets PSTATE as the architecture says: the frame's SPSR has the flags of before.
void flags_reach_spsr() {
    std::uint64_t flags = 0;
    const auto taken = catch_exception([&] {
        asm volatile("msr nzcv, %1\n\tmrs %0, s3_0_c10_c5_0\n\tmrs %0, nzcv"
                     : "=&r"(flags)
                     : "r"(std::uint64_t{0xa0000000})
                     : "cc", "memory");
    });
    expect(taken.has_value(), "MPAM1_EL1 is undefined");
    expect_equal("flags after return", flags, 0xa0000000);
}

constexpr Check checks[] = {
    {"undefined.el2_registers", el2},
    {"undefined.hidden_registers", hidden},
    {"undefined.implementation_defined", implementation},
    {"undefined.instructions", undefined_instructions},
    {"undefined.hidden_id_register", hidden_id_register},
    {"undefined.target_register_is_kept", target_register_is_kept},
    {"undefined.flags_reach_spsr", flags_reach_spsr},
};

} // namespace

std::span<const Check> undefined_register_checks() {
    return checks;
}

} // namespace test
