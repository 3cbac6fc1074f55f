// SPDX-License-Identifier: BSD-3-Clause
// All state of a vCPU that stays in the hardware while it is loaded, beside its general registers.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"
#include "vcpu/guest_features.hpp"
#include "vcpu/registers.hpp"

#include <arch/sysreg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace hyp {
class Vcpu;
}

namespace hyp::arch {

/// EL1 and EL0 system registers that a VM uses without trapping (Arm ARM D13/D19). guest_system.S
/// knows the order of these and of the keys.
struct SystemRegisters {
    std::uint64_t sctlr, cpacr, ttbr0, ttbr1, tcr, esr, far, afsr0, afsr1, mair, amair, vbar;
    std::uint64_t contextidr, tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl, par, csselr;
    std::uint64_t sp_el0, sp_el1, elr, spsr;
    std::uint64_t vmpidr;
};

/// SIMD and floating point: V0-V31 first, guest_fp.S knows the layout. A vCPU with SVE has its Z
/// registers, P registers and FFR in `sve` instead of `v`; it owns that memory.
struct alignas(16) FloatingPoint {
    std::array<unsigned __int128, 32> v;
    std::uint64_t fpsr, fpcr;
    std::uint64_t zcr;
    std::byte* sve;
    /// The CPU whose registers hold the same, unless PerCpu::vectors names another owner by now.
    unsigned cpu;
    /// Guest accesses do not trap: the registers may have changed since they were loaded.
    bool open;
};

/// Pointer-authentication keys (FEAT_PAuth): IA, IB, DA, DB, GA, low and high halves.
struct PointerKeys {
    std::array<std::uint64_t, 10> key;
};

/// One EL1 timer: CTL (bit 0 ENABLE, 1 IMASK, 2 ISTATUS) and compare value in counter ticks.
struct TimerRegisters {
    std::uint64_t control, compare;
    [[nodiscard]] bool armed() const { return (control & 3) == 1; }
};

/// Self-hosted debug registers (MDSCR_EL1, breakpoints, watchpoints).
struct DebugRegisters {
    std::uint64_t mdscr;
    std::array<std::uint64_t, 16> dbgbcr, dbgbvr, dbgwcr, dbgwvr;
};

/// Performance counters; `enabled`, `interrupts` and `overflows` have a bit for each counter, the
/// cycle counter's being 31.
struct PmuRegisters {
    std::uint64_t control, selection, user_enable, enabled, interrupts, overflows;
    std::uint64_t cycles, cycle_filter;
    std::array<std::uint64_t, 31> counters, types;
};

/// Owned by one Vcpu; touched only on the CPU on which that vCPU is loaded, or while it is not.
struct GuestState {
    SystemRegisters system;
    PointerKeys keys;
    FloatingPoint fp;
    TimerRegisters virtual_timer, physical_timer;
    DebugRegisters debug;
    /// True while the guest uses breakpoints, watchpoints or single-step: then `debug` lives in the
    /// hardware; otherwise accesses trap and are served from `debug`.
    bool debug_in_hardware;
    PmuRegisters pmu;
    /// Likewise for the counters: in the hardware from the guest's first access, and from then on
    /// while it counts.
    bool pmu_in_hardware;
    GuestFeatures features; // kept over a reset

    /// Memory for SVE, if `features` has it and `fp` none yet; false without memory.
    [[nodiscard]] bool allocate_vectors();
    void release_vectors();
    /// The loaded guest's FP, SIMD or SVE instruction trapped: its registers, which it may use
    /// until the next save().
    void open_vectors();
    /// Architectural reset values of a vCPU that starts at EL1 with MMU off.
    void reset(std::uint64_t vmpidr);
    /// Hardware -> this. Timers are stopped in the hardware afterwards. With `lends` the vector
    /// registers may stay, until the next load() or flush_vectors() on this CPU.
    HYP_CALLED_BY_NAME void save(bool lends = false);
    /// What save() left in this CPU's vector registers is in memory. While it is not loaded.
    void flush_vectors();
    /// This -> hardware, with the stage-2 tables of `vttbr`.
    HYP_CALLED_BY_NAME void load(std::uint64_t vttbr);
};

// arm64/guest_system.S knows it.
static_assert(offsetof(GuestState, keys) == 192);

/// Whose exit the next one on this CPU is, and where it stores the general registers.
void set_running(Vcpu&, GuestRegisters&);

/// What this CPU's registers hold for all vCPUs, and which of them there are. Once per CPU at boot.
void init_guest_state();

/// Bytes of an SVE register, the longest that this machine has; 0 without SVE. After
/// init_guest_controls().
[[nodiscard]] unsigned sve_vector_bytes();

/// Settings of EL2 that hold for every VM: HCR_EL2, traps, VTCR_EL2. Once per CPU at boot.
void init_guest_controls(std::uint64_t vtcr);

/// Turns both EL1 timers off in the hardware.
void stop_guest_timers();

/// After a save: no VM is loaded, VTTBR_EL2 = 0 (VMID 0, reserved).
void unload_guest();

/// SPSR_EL2 of a vCPU at reset: EL1h, interrupts masked.
inline constexpr std::uint64_t reset_pstate = 0x3c5;

/// The system counter, ticks of frequency().
std::uint64_t counter();
HYP_READER(counter_frequency, cntfrq_el0)

/// EL2's own timer (CNTHP): fires PPI 26 at `deadline` ticks, or never.
void set_deadline(std::uint64_t deadline);
void clear_deadline();

/// PAR_EL1 after an address translation; the guest's own value stays (Arm ARM D13.2.113).
#define HYP_TRANSLATE(operation, address)                                                          \
    ([&] {                                                                                         \
        const std::uint64_t guest_par = HYP_READ_SYSREG(par_el1);                                  \
        asm volatile("at " operation ", %0\n\tisb" : : "r"((address).value) : "memory");           \
        const std::uint64_t answer = HYP_READ_SYSREG(par_el1);                                     \
        HYP_WRITE_SYSREG(par_el1, guest_par);                                                      \
        return answer;                                                                             \
    }())

inline constexpr PhysAddr no_address{~std::uint64_t{0}};
inline constexpr std::uint64_t par_fault = 1; // PAR_EL1.F
inline std::uint64_t address_in(std::uint64_t par, VirtAddr va) {
    constexpr std::uint64_t par_address = 0x0000fffffffff000;
    return (par & par_address) | va.offset_in_page();
}

/// Stage 1 of the loaded vCPU for an access by EL1 (AT S1E1R/W). Preserves the guest's PAR_EL1.
/// Nothing if the guest itself would take a fault.
inline std::optional<Ipa> translate_guest(VirtAddr va, bool write) {
    const std::uint64_t par = write ? HYP_TRANSLATE("s1e1w", va) : HYP_TRANSLATE("s1e1r", va);
    return (par & par_fault) == 0 ? std::optional(Ipa{address_in(par, va)}) : std::nullopt;
}
/// Through both stages, to normal memory. No RAM (no_address) means only that the CPU could not
/// tell. The address space's lock keeps stage 2 as it is.
inline PhysAddr translate_guest_fully(VirtAddr va, bool write) {
    constexpr unsigned memory_shift = 60; // PAR_EL1.ATTR<7:4>: 0 is device memory
    const std::uint64_t par = write ? HYP_TRANSLATE("s12e1w", va) : HYP_TRANSLATE("s12e1r", va);
    const bool normal = (par & par_fault) == 0 && par >> memory_shift != 0;
    return normal ? PhysAddr{address_in(par, va)} : no_address;
}

/// Why the CPU left the guest.
struct ExitSyndrome {
    std::uint64_t esr, far, hpfar;
};
HYP_READER(read_far, far_el2)
HYP_READER(read_hpfar, hpfar_el2)
inline ExitSyndrome read_syndrome() {
    return {HYP_READ_SYSREG(esr_el2), read_far(), read_hpfar()};
}

/// Waits until a physical interrupt is pending (EL2 runs with interrupts masked).
void wait_for_interrupt();

} // namespace hyp::arch
