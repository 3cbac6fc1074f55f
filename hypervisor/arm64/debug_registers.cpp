// SPDX-License-Identifier: BSD-3-Clause
// Breakpoint and watchpoint registers: as many as ID_AA64DFR0_EL1 says this CPU has.
#include <arch/debug_registers.hpp>
#include <arch/sysreg.hpp>

namespace hyp::arch {

namespace {

// ID_AA64DFR0_EL1.BRPs [15:12] and WRPs [23:20] hold the number minus one (Arm ARM D19.2.59).
unsigned breakpoints() {
    return static_cast<unsigned>((HYP_READ_SYSREG(id_aa64dfr0_el1) >> 12) & 0xf) + 1;
}
unsigned watchpoints() {
    return static_cast<unsigned>((HYP_READ_SYSREG(id_aa64dfr0_el1) >> 20) & 0xf) + 1;
}

// From the highest implemented one, whose case is the first, down to 0.
#define HYP_DEBUG_CASE(ACCESS, n)                                                                  \
    case n:                                                                                        \
        ACCESS(n);                                                                                 \
        [[fallthrough]];
#define HYP_DEBUG_EACH(count, ACCESS)                                                              \
    switch ((count) - 1) {                                                                         \
        HYP_EACH_OF_16(HYP_DEBUG_CASE, ACCESS)                                                     \
    default:                                                                                       \
        break;                                                                                     \
    }

#define HYP_SAVE_BREAKPOINT(n)                                                                     \
    d.dbgbvr[n] = HYP_READ_SYSREG(dbgbvr##n##_el1);                                                \
    d.dbgbcr[n] = HYP_READ_SYSREG(dbgbcr##n##_el1)
#define HYP_SAVE_WATCHPOINT(n)                                                                     \
    d.dbgwvr[n] = HYP_READ_SYSREG(dbgwvr##n##_el1);                                                \
    d.dbgwcr[n] = HYP_READ_SYSREG(dbgwcr##n##_el1)
#define HYP_LOAD_BREAKPOINT(n)                                                                     \
    HYP_WRITE_SYSREG(dbgbvr##n##_el1, d.dbgbvr[n]);                                                \
    HYP_WRITE_SYSREG(dbgbcr##n##_el1, d.dbgbcr[n])
#define HYP_LOAD_WATCHPOINT(n)                                                                     \
    HYP_WRITE_SYSREG(dbgwvr##n##_el1, d.dbgwvr[n]);                                                \
    HYP_WRITE_SYSREG(dbgwcr##n##_el1, d.dbgwcr[n])

constexpr std::uint64_t mdcr_tda = 1u << 9;

} // namespace

void save_debug(DebugRegisters& d) {
    d.mdscr = HYP_READ_SYSREG(mdscr_el1);
    HYP_DEBUG_EACH(breakpoints(), HYP_SAVE_BREAKPOINT)
    HYP_DEBUG_EACH(watchpoints(), HYP_SAVE_WATCHPOINT)
}

void load_debug(const DebugRegisters& d) {
    HYP_DEBUG_EACH(breakpoints(), HYP_LOAD_BREAKPOINT)
    HYP_DEBUG_EACH(watchpoints(), HYP_LOAD_WATCHPOINT)
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
