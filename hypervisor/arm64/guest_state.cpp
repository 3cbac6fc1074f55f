// SPDX-License-Identifier: BSD-3-Clause
// Moves the state of a vCPU between memory and the hardware.
#include <arch/debug_registers.hpp>
#include <arch/guest_state.hpp>
#include <arch/percpu.hpp>
#include <arch/pmu.hpp>
#include <arch/sysreg.hpp>

extern "C" void arch_fp_save(hyp::arch::FloatingPoint*);
extern "C" void arch_fp_load(const hyp::arch::FloatingPoint*);

namespace hyp::arch {

namespace {

// SCTLR_EL1 at reset: the bits that are RES1 in Armv8.0 (Arm ARM D19.2.118), all else off.
constexpr std::uint64_t sctlr_reset = 0x30d00800;
constexpr std::uint64_t mdscr_reset = 0;

void save_system(SystemRegisters& s) {
    s.sctlr = HYP_READ_SYSREG(sctlr_el1);
    s.cpacr = HYP_READ_SYSREG(cpacr_el1);
    s.ttbr0 = HYP_READ_SYSREG(ttbr0_el1);
    s.ttbr1 = HYP_READ_SYSREG(ttbr1_el1);
    s.tcr = HYP_READ_SYSREG(tcr_el1);
    s.esr = HYP_READ_SYSREG(esr_el1);
    s.far = HYP_READ_SYSREG(far_el1);
    s.afsr0 = HYP_READ_SYSREG(afsr0_el1);
    s.afsr1 = HYP_READ_SYSREG(afsr1_el1);
    s.mair = HYP_READ_SYSREG(mair_el1);
    s.amair = HYP_READ_SYSREG(amair_el1);
    s.vbar = HYP_READ_SYSREG(vbar_el1);
    s.contextidr = HYP_READ_SYSREG(contextidr_el1);
    s.tpidr_el0 = HYP_READ_SYSREG(tpidr_el0);
    s.tpidrro_el0 = HYP_READ_SYSREG(tpidrro_el0);
    s.tpidr_el1 = HYP_READ_SYSREG(tpidr_el1);
    s.cntkctl = HYP_READ_SYSREG(cntkctl_el1);
    s.par = HYP_READ_SYSREG(par_el1);
    s.csselr = HYP_READ_SYSREG(csselr_el1);
    s.sp_el0 = HYP_READ_SYSREG(sp_el0);
    s.sp_el1 = HYP_READ_SYSREG(sp_el1);
    s.elr = HYP_READ_SYSREG(elr_el1);
    s.spsr = HYP_READ_SYSREG(spsr_el1);
}

void load_system(const SystemRegisters& s) {
    HYP_WRITE_SYSREG(sctlr_el1, s.sctlr);
    HYP_WRITE_SYSREG(cpacr_el1, s.cpacr);
    HYP_WRITE_SYSREG(ttbr0_el1, s.ttbr0);
    HYP_WRITE_SYSREG(ttbr1_el1, s.ttbr1);
    HYP_WRITE_SYSREG(tcr_el1, s.tcr);
    HYP_WRITE_SYSREG(esr_el1, s.esr);
    HYP_WRITE_SYSREG(far_el1, s.far);
    HYP_WRITE_SYSREG(afsr0_el1, s.afsr0);
    HYP_WRITE_SYSREG(afsr1_el1, s.afsr1);
    HYP_WRITE_SYSREG(mair_el1, s.mair);
    HYP_WRITE_SYSREG(amair_el1, s.amair);
    HYP_WRITE_SYSREG(vbar_el1, s.vbar);
    HYP_WRITE_SYSREG(contextidr_el1, s.contextidr);
    HYP_WRITE_SYSREG(tpidr_el0, s.tpidr_el0);
    HYP_WRITE_SYSREG(tpidrro_el0, s.tpidrro_el0);
    HYP_WRITE_SYSREG(tpidr_el1, s.tpidr_el1);
    HYP_WRITE_SYSREG(cntkctl_el1, s.cntkctl);
    HYP_WRITE_SYSREG(par_el1, s.par);
    HYP_WRITE_SYSREG(csselr_el1, s.csselr);
    HYP_WRITE_SYSREG(sp_el0, s.sp_el0);
    HYP_WRITE_SYSREG(sp_el1, s.sp_el1);
    HYP_WRITE_SYSREG(elr_el1, s.elr);
    HYP_WRITE_SYSREG(spsr_el1, s.spsr);
    HYP_WRITE_SYSREG(vpidr_el2, HYP_READ_SYSREG(midr_el1));
    HYP_WRITE_SYSREG(vmpidr_el2, s.vmpidr);
}

// Key registers by encoding, so that an Armv8.0 assembler target accepts them (S3_0_C2_C1..C3).
void save_keys(PointerKeys& k) {
    k.key[0] = HYP_READ_SYSREG(s3_0_c2_c1_0);
    k.key[1] = HYP_READ_SYSREG(s3_0_c2_c1_1);
    k.key[2] = HYP_READ_SYSREG(s3_0_c2_c1_2);
    k.key[3] = HYP_READ_SYSREG(s3_0_c2_c1_3);
    k.key[4] = HYP_READ_SYSREG(s3_0_c2_c2_0);
    k.key[5] = HYP_READ_SYSREG(s3_0_c2_c2_1);
    k.key[6] = HYP_READ_SYSREG(s3_0_c2_c2_2);
    k.key[7] = HYP_READ_SYSREG(s3_0_c2_c2_3);
    k.key[8] = HYP_READ_SYSREG(s3_0_c2_c3_0);
    k.key[9] = HYP_READ_SYSREG(s3_0_c2_c3_1);
}

void load_keys(const PointerKeys& k) {
    HYP_WRITE_SYSREG(s3_0_c2_c1_0, k.key[0]);
    HYP_WRITE_SYSREG(s3_0_c2_c1_1, k.key[1]);
    HYP_WRITE_SYSREG(s3_0_c2_c1_2, k.key[2]);
    HYP_WRITE_SYSREG(s3_0_c2_c1_3, k.key[3]);
    HYP_WRITE_SYSREG(s3_0_c2_c2_0, k.key[4]);
    HYP_WRITE_SYSREG(s3_0_c2_c2_1, k.key[5]);
    HYP_WRITE_SYSREG(s3_0_c2_c2_2, k.key[6]);
    HYP_WRITE_SYSREG(s3_0_c2_c2_3, k.key[7]);
    HYP_WRITE_SYSREG(s3_0_c2_c3_0, k.key[8]);
    HYP_WRITE_SYSREG(s3_0_c2_c3_1, k.key[9]);
}

// ID_AA64ISAR1_EL1.{APA,API,GPA,GPI}, ID_AA64ISAR2_EL1.{APA3,GPA3}: any of them means keys exist.
bool has_pointer_authentication() {
    constexpr std::uint64_t isar1_fields = 0xff000ff0;
    constexpr std::uint64_t isar2_fields = 0xff00;
    return (HYP_READ_SYSREG(id_aa64isar1_el1) & isar1_fields) != 0 ||
           (HYP_READ_SYSREG(s3_0_c0_c6_2) & isar2_fields) != 0;
}

bool has_ras() {
    return ((HYP_READ_SYSREG(id_aa64pfr0_el1) >> 28) & 0xf) != 0;
}

bool has_sme() {
    return ((HYP_READ_SYSREG(id_aa64pfr1_el1) >> 24) & 0xf) != 0;
}

void save_untrapped(UntrappedRegisters& r) {
    if (has_ras()) {
        r.vdisr = HYP_READ_SYSREG(s3_4_c12_c1_1);
    }
    if (has_sme()) {
        r.tpidr2_el0 = HYP_READ_SYSREG(s3_3_c13_c0_5);
    }
}

void load_untrapped(const UntrappedRegisters& r) {
    if (has_ras()) {
        HYP_WRITE_SYSREG(s3_4_c12_c1_1, r.vdisr);
    }
    if (has_sme()) {
        HYP_WRITE_SYSREG(s3_3_c13_c0_5, r.tpidr2_el0);
    }
}

void save_timers(GuestState& state) {
    state.virtual_timer.control = HYP_READ_SYSREG(cntv_ctl_el0);
    state.virtual_timer.compare = HYP_READ_SYSREG(cntv_cval_el0);
    state.physical_timer.control = HYP_READ_SYSREG(cntp_ctl_el0);
    state.physical_timer.compare = HYP_READ_SYSREG(cntp_cval_el0);
    stop_guest_timers();
}

void load_timers(const GuestState& state) {
    HYP_WRITE_SYSREG(cntv_cval_el0, state.virtual_timer.compare);
    HYP_WRITE_SYSREG(cntv_ctl_el0, state.virtual_timer.control & 3);
    HYP_WRITE_SYSREG(cntp_cval_el0, state.physical_timer.compare);
    HYP_WRITE_SYSREG(cntp_ctl_el0, state.physical_timer.control & 3);
}

} // namespace

void stop_guest_timers() {
    HYP_WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
    HYP_WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{0});
    isb();
}

void GuestState::reset(std::uint64_t vmpidr) {
    const GuestFeatures kept = features;
    *this = GuestState{};
    features = kept;
    system.sctlr = sctlr_reset;
    system.vmpidr = vmpidr;
    debug.mdscr = mdscr_reset;
}

void GuestState::save() {
    save_system(system);
    if (has_pointer_authentication()) {
        save_keys(keys);
    }
    save_untrapped(untrapped);
    save_timers(*this);
    arch_fp_save(&fp);
    if (debug_in_hardware) {
        save_debug(debug);
        debug_in_hardware = (debug.mdscr & mdscr_uses_hardware) != 0;
        HYP_WRITE_SYSREG(mdscr_el1, std::uint64_t{0});
    }
    if (pmu_in_hardware) {
        save_pmu(pmu);
        pmu_in_hardware = pmu_in_use(pmu);
    }
}

void GuestState::load(std::uint64_t vttbr) {
    HYP_WRITE_SYSREG(vttbr_el2, vttbr);
    load_system(system);
    if (has_pointer_authentication()) {
        load_keys(keys);
    }
    load_untrapped(untrapped);
    arch_fp_load(&fp);
    trap_debug(!debug_in_hardware);
    if (debug_in_hardware) {
        load_debug(debug);
    }
    if (pmu_in_hardware) {
        load_pmu(pmu);
    }
    isb(); // VMID and controls are in effect before timers may fire for this guest
    load_timers(*this);
    isb();
}

void set_running(Vcpu& vcpu, GuestRegisters& registers) {
    this_cpu().vcpu = &vcpu;
    this_cpu().guest = &registers;
}

void unload_guest() {
    stop_guest_timers();
    HYP_WRITE_SYSREG(vttbr_el2, std::uint64_t{0});
    isb();
}

} // namespace hyp::arch
