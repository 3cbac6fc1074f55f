// SPDX-License-Identifier: BSD-3-Clause
// Moves the state of a vCPU between memory and the hardware.
#include <arch/debug_registers.hpp>
#include <arch/guest_state.hpp>
#include <arch/percpu.hpp>
#include <arch/pmu.hpp>
#include <arch/sysreg.hpp>
#include <arch/vector_registers.hpp>

extern "C" void arch_system_save(hyp::arch::GuestState*, unsigned keys);
extern "C" void arch_system_load(const hyp::arch::GuestState*, unsigned keys);

namespace hyp::arch {

namespace {

// SCTLR_EL1 at reset: the bits that are RES1 in Armv8.0 (Arm ARM D19.2.118), all else off.
constexpr std::uint64_t sctlr_reset = 0x30d00800;

// ID_AA64ISAR1_EL1.{APA,API,GPA,GPI}, ID_AA64ISAR2_EL1.{APA3,GPA3}: any of them means keys exist.
bool has_pointer_authentication() {
    constexpr std::uint64_t isar1_fields = 0xff000ff0;
    constexpr std::uint64_t isar2_fields = 0xff00;
    return (HYP_READ_SYSREG(id_aa64isar1_el1) & isar1_fields) != 0 ||
           (HYP_READ_SYSREG(s3_0_c0_c6_2) & isar2_fields) != 0;
}

/// What a vCPU has beside the registers of Armv8.0. ID registers trap to an outer hypervisor, if
/// there is one, and are no faster than others: read once.
struct Features {
    bool keys, ras, sme;
};
constinit Features cpu_features{};

// Registers that a VM reaches although their feature is hidden from it, for want of a trap
// (DISR_EL1, and TPIDR2_EL0 that only FEAT_FGT could trap): no VM finds there what another left.
void clear_untrapped() {
    if (cpu_features.ras) {
        HYP_WRITE_SYSREG(s3_4_c12_c1_1, std::uint64_t{0}); // VDISR_EL2
    }
    if (cpu_features.sme) {
        HYP_WRITE_SYSREG(s3_3_c13_c0_5, std::uint64_t{0});
    }
}

void save_timers(GuestState& state) {
    state.virtual_timer.control = HYP_READ_SYSREG(cntv_ctl_el0);
    state.virtual_timer.compare = HYP_READ_SYSREG(cntv_cval_el0);
    state.physical_timer.control = HYP_READ_SYSREG(cntp_ctl_el0);
    state.physical_timer.compare = HYP_READ_SYSREG(cntp_cval_el0);
    stop_guest_timers();
}

// ISTATUS, bit 2 of the control registers, is read-only (Arm ARM, CNTV_CTL_EL0).
void load_timers(const GuestState& state) {
    HYP_WRITE_SYSREG(cntv_cval_el0, state.virtual_timer.compare);
    HYP_WRITE_SYSREG(cntv_ctl_el0, state.virtual_timer.control);
    HYP_WRITE_SYSREG(cntp_cval_el0, state.physical_timer.compare);
    HYP_WRITE_SYSREG(cntp_ctl_el0, state.physical_timer.control);
}

[[gnu::noinline]] void save_rarely_used(GuestState& state) {
    if (state.debug_in_hardware) {
        save_debug(state.debug);
        state.debug_in_hardware = (state.debug.mdscr & mdscr_uses_hardware) != 0;
        HYP_WRITE_SYSREG(mdscr_el1, std::uint64_t{0});
    }
    if (state.pmu_in_hardware) {
        save_pmu(state.pmu);
        state.pmu_in_hardware = pmu_in_use(state.pmu);
    }
}

} // namespace

void stop_guest_timers() {
    HYP_WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
    HYP_WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{0});
    isb();
}

void GuestState::reset(std::uint64_t vmpidr) {
    const GuestFeatures kept = features;
    std::byte* const sve = fp.sve;
    *this = GuestState{};
    features = kept;
    fp.sve = sve;
    reset_vectors(fp);
    system.sctlr = sctlr_reset;
    system.vmpidr = vmpidr;
}

void init_guest_state() {
    cpu_features = {.keys = has_pointer_authentication(),
                    .ras = HYP_ID_FIELD(id_aa64pfr0_el1, 28) != 0,
                    .sme = HYP_ID_FIELD(id_aa64pfr1_el1, 24) != 0};
    HYP_WRITE_SYSREG(vpidr_el2, HYP_READ_SYSREG(midr_el1));
}

void GuestState::save(bool lends) {
    arch_system_save(this, cpu_features.keys);
    save_timers(*this);
    save_vectors(*this, lends);
    if (debug_in_hardware || pmu_in_hardware) [[unlikely]] {
        save_rarely_used(*this);
    }
}

void GuestState::load(std::uint64_t vttbr) {
    HYP_WRITE_SYSREG(vttbr_el2, vttbr);
    arch_system_load(this, cpu_features.keys);
    clear_untrapped();
    load_vectors(*this);
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
    PerCpu& cpu = this_cpu();
    cpu.vcpu = &vcpu;
    cpu.guest = &registers;
}

void unload_guest() {
    HYP_WRITE_SYSREG(vttbr_el2, std::uint64_t{0});
    isb();
}

} // namespace hyp::arch
