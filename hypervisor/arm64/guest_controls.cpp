// SPDX-License-Identifier: BSD-3-Clause
// EL2's controls over every VM: what traps, how stage 2 walks, EL2's own timer, address
// translation.
#include <arch/debug_registers.hpp>
#include <arch/guest_state.hpp>
#include <arch/pmu.hpp>
#include <arch/stage2_attributes.hpp>
#include <arch/sysreg.hpp>
#include <arch/vector_registers.hpp>

namespace hyp::arch {

namespace {

// HCR_EL2 (Arm ARM D19.2.48). E2H stays 0: EL2 without VHE, so that Armv8.0 boards work.
constexpr std::uint64_t hcr_guest =
    1ull << 0 |  // VM: stage 2 on
    1ull << 1 |  // SWIO: set/way invalidate also cleans
    1ull << 3 |  // FMO: physical FIQ to EL2, virtual FIQ on
    1ull << 4 |  // IMO: physical IRQ to EL2, virtual IRQ on
    1ull << 5 |  // AMO: physical SError to EL2
    1ull << 9 |  // FB: broadcast TLB and I-cache maintenance
    1ull << 10 | // BSU: barriers reach the inner shareable domain
    1ull << 13 | // TWI: WFI traps
    1ull << 18 | // TID3: ID registers trap
    1ull << 19 | // TSC: SMC traps
    1ull << 20 | // TIDCP: implementation-defined registers trap
    1ull << 21 | // TACR: ACTLR_EL1 traps
    1ull << 31 | // RW: EL1 is AArch64
    1ull << 35 | // TLOR: LORegion registers trap (RES0 without FEAT_LOR)
    1ull << 36 | // TERR: RAS error records trap (RES0 without FEAT_RAS)
    1ull << 37 | // TEA: external aborts to EL2 (RES0 without FEAT_RAS)
    1ull << 40 | // APK: pointer keys do not trap
    1ull << 41 | // API: pointer instructions do not trap
    1ull << 58;  // TID5: GMID_EL1 traps (RES0 without FEAT_MTE2)
constexpr std::uint64_t hcr_fwb = 1ull << 46; // stage 2 forces the memory type

// MDCR_EL2: debug ROM, OS lock, debug, PMU, SPE (TPMS; E2PB = 0) and trace filter (TTRF) trap.
// Event counters stop at EL2 (HPMD).
constexpr std::uint64_t mdcr_traps = (1u << 11) | (1u << 10) | (1u << 9) | (1u << 6) | (1u << 5) |
                                     (1u << 14) | (1u << 19) | (1u << 17);

// CNTHCTL_EL2: EL1 reads the physical counter and uses the physical timer without a trap.
constexpr std::uint64_t cnthctl_guest = 3;

// HPMN: the guest has all counters (it must not exceed their number, Arm ARM D19.3.20). At EL2 the
// cycle counter stops, too (HCCD, RES0 where it cannot).
std::uint64_t mdcr_counters() {
    constexpr std::uint64_t hccd = 1u << 23;
    return has_pmu() ? ((HYP_READ_SYSREG(pmcr_el0) >> 11) & 0x1f) | hccd : 0;
}

// Fine-grained traps (FEAT_FGT) reset to unknown values: none of ours use them, so clear them.
void clear_fine_grained_traps() {
    if (HYP_ID_FIELD(id_aa64mmfr0_el1, 56) != 0) {        // FGT
        HYP_WRITE_SYSREG(s3_4_c1_c1_4, std::uint64_t{0}); // HFGRTR_EL2
        HYP_WRITE_SYSREG(s3_4_c1_c1_5, std::uint64_t{0}); // HFGWTR_EL2
        HYP_WRITE_SYSREG(s3_4_c1_c1_6, std::uint64_t{0}); // HFGITR_EL2
        HYP_WRITE_SYSREG(s3_4_c3_c1_4, std::uint64_t{0}); // HDFGRTR_EL2
        HYP_WRITE_SYSREG(s3_4_c3_c1_5, std::uint64_t{0}); // HDFGWTR_EL2
    }
    if (HYP_ID_FIELD(id_aa64mmfr1_el1, 40) != 0) {        // HCX
        HYP_WRITE_SYSREG(s3_4_c1_c2_2, std::uint64_t{0}); // HCRX_EL2
    }
}

} // namespace

void init_guest_controls(std::uint64_t vtcr) {
    HYP_WRITE_SYSREG(vttbr_el2, std::uint64_t{0});
    HYP_WRITE_SYSREG(vtcr_el2, vtcr);
    // Stage2 writes its entries in the other encoding exactly when the CPU has it.
    HYP_WRITE_SYSREG(hcr_el2, hcr_guest | (has_s2fwb() ? hcr_fwb : 0));
    init_vectors();
    HYP_WRITE_SYSREG(mdcr_el2, mdcr_traps | mdcr_counters());
    HYP_WRITE_SYSREG(hstr_el2, std::uint64_t{0});
    HYP_WRITE_SYSREG(cnthctl_el2, cnthctl_guest);
    HYP_WRITE_SYSREG(cntvoff_el2, std::uint64_t{0}); // guest and host agree on CNTVCT (ABI)
    HYP_WRITE_SYSREG(mdscr_el1, std::uint64_t{0});
    clear_fine_grained_traps();
    if (has_pmu()) {
        stop_pmu();
    }
    init_guest_state();
    clear_deadline();
    stop_guest_timers();
    isb();
}

std::uint64_t counter() {
    isb(); // not earlier than program order (Arm ARM D12.1.2)
    return HYP_READ_SYSREG(cntpct_el0);
}

void set_deadline(std::uint64_t deadline) {
    HYP_WRITE_SYSREG(cnthp_cval_el2, deadline);
    HYP_WRITE_SYSREG(cnthp_ctl_el2, std::uint64_t{1});
    isb();
}

void clear_deadline() {
    HYP_WRITE_SYSREG(cnthp_ctl_el2, std::uint64_t{0});
    isb();
}

void wait_for_interrupt() {
    asm volatile("dsb sy\n\twfi" : : : "memory");
}

} // namespace hyp::arch
