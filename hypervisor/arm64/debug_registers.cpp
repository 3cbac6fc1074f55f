// SPDX-License-Identifier: BSD-3-Clause
// Breakpoint and watchpoint registers: as many as ID_AA64DFR0_EL1 says this CPU has.
#include <arch/debug_registers.hpp>
#include <arch/sysreg.hpp>

namespace hyp::arch {

namespace {

// ID_AA64DFR0_EL1.BRPs [15:12] and WRPs [23:20] hold the number minus one (Arm ARM D19.2.59).
unsigned breakpoints() {
    return HYP_ID_FIELD(id_aa64dfr0_el1, 12) + 1;
}
unsigned watchpoints() {
    return HYP_ID_FIELD(id_aa64dfr0_el1, 20) + 1;
}

// DBGB<value, control>R<n> or DBGW..., from the highest implemented one, whose case is the first,
// down to 0.
#define HYP_DEBUG_SAVE(kind, n)                                                                    \
    case n:                                                                                        \
        d.dbg##kind##vr[n] = HYP_READ_SYSREG(dbg##kind##vr##n##_el1);                              \
        d.dbg##kind##cr[n] = HYP_READ_SYSREG(dbg##kind##cr##n##_el1);                              \
        [[fallthrough]];
#define HYP_DEBUG_LOAD(kind, n)                                                                    \
    case n:                                                                                        \
        HYP_WRITE_SYSREG(dbg##kind##vr##n##_el1, d.dbg##kind##vr[n]);                              \
        HYP_WRITE_SYSREG(dbg##kind##cr##n##_el1, d.dbg##kind##cr[n]);                              \
        [[fallthrough]];
#define HYP_DEBUG_EACH(count, DO, kind)                                                            \
    switch ((count) - 1) {                                                                         \
        HYP_EACH_OF_16(DO, kind)                                                                   \
    default:                                                                                       \
        break;                                                                                     \
    }

constexpr std::uint64_t mdcr_tda = 1u << 9;

} // namespace

void save_debug(DebugRegisters& d) {
    d.mdscr = HYP_READ_SYSREG(mdscr_el1);
    HYP_DEBUG_EACH(breakpoints(), HYP_DEBUG_SAVE, b)
    HYP_DEBUG_EACH(watchpoints(), HYP_DEBUG_SAVE, w)
}

void load_debug(const DebugRegisters& d) {
    HYP_DEBUG_EACH(breakpoints(), HYP_DEBUG_LOAD, b)
    HYP_DEBUG_EACH(watchpoints(), HYP_DEBUG_LOAD, w)
    HYP_WRITE_SYSREG(mdscr_el1, d.mdscr);
}

void trap_debug(bool trap) {
    const std::uint64_t mdcr = HYP_READ_SYSREG(mdcr_el2);
    const std::uint64_t wanted = trap ? mdcr | mdcr_tda : mdcr & ~mdcr_tda;
    if (wanted != mdcr) {
        HYP_WRITE_SYSREG(mdcr_el2, wanted);
    }
}

} // namespace hyp::arch
