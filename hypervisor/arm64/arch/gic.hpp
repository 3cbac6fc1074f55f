// SPDX-License-Identifier: BSD-3-Clause
// The GIC CPU interface and its hypervisor control registers (IHI 0069, sections 12.2 and 12.4).
#pragma once

#include <arch/sysreg.hpp>

#include <cstdint>

namespace hyp::arch {

// -- Physical CPU interface, as EL2 uses it -------------------------------------------------------
inline std::uint64_t icc_read_iar1() {
    const std::uint64_t intid = HYP_READ_SYSREG(icc_iar1_el1);
    // The acknowledge must be complete before the interrupt's cause is looked at.
    asm volatile("dsb sy" : : : "memory");
    return intid;
}
inline void icc_write_eoir1(std::uint64_t intid) {
    HYP_WRITE_SYSREG(icc_eoir1_el1, intid);
    isb();
}
inline void icc_write_dir(std::uint64_t intid) {
    HYP_WRITE_SYSREG(icc_dir_el1, intid);
    isb();
}
inline void icc_write_sgi1r(std::uint64_t value) {
    // What the other CPU is to see must be visible to it before the interrupt.
    asm volatile("dsb ishst" : : : "memory");
    HYP_WRITE_SYSREG(icc_sgi1r_el1, value);
    isb();
}
/// System register interface on, for EL2 and the levels below. False: the GIC has none.
inline bool icc_enable_system_registers() {
    // SRE, bypass disables (DFB, DIB), Enable: lower levels need no trap for ICC_SRE_EL1.
    HYP_WRITE_SYSREG(icc_sre_el2, 0xf);
    isb();
    return (HYP_READ_SYSREG(icc_sre_el2) & 1) != 0;
}
HYP_WRITER(icc_write_ctlr, icc_ctlr_el1)
HYP_WRITER(icc_write_pmr, icc_pmr_el1)
HYP_WRITER(icc_write_bpr1, icc_bpr1_el1)
inline void icc_write_igrpen1(std::uint64_t value) {
    HYP_WRITE_SYSREG(icc_igrpen1_el1, value);
    isb();
}
/// Waits until writes to a redistributor or distributor have reached it.
inline void gic_barrier() {
    asm volatile("dsb sy\n\tisb" : : : "memory");
}

// -- Virtual CPU interface ------------------------------------------------------------------------
HYP_READER(ich_read_vtr, ich_vtr_el2)
HYP_READER(ich_read_hcr, ich_hcr_el2)
HYP_WRITER(ich_write_hcr, ich_hcr_el2)
HYP_READER(ich_read_vmcr, ich_vmcr_el2)
HYP_WRITER(ich_write_vmcr, ich_vmcr_el2)
/// Bit n: list register n holds nothing that is pending or active, or whose end is to be noticed.
HYP_READER(ich_read_elrsr, ich_elrsr_el2)
/// Makes what the guest's CPU interface did visible in the registers read next, or what was
/// written take effect before an interrupt line is looked at.
inline void ich_barrier() {
    isb();
}

#define HYP_ICH_READ(kind, n)                                                                      \
    case n:                                                                                        \
        return HYP_READ_SYSREG(kind##n##_el2);
#define HYP_ICH_WRITE(kind, n)                                                                     \
    case n:                                                                                        \
        HYP_WRITE_SYSREG(kind##n##_el2, value);                                                    \
        break;

// NOLINTBEGIN(bugprone-switch-missing-default-case): n is never more than the cases
/// List register n, 0 .. ICH_VTR_EL2.ListRegs. It is the first where a VM has one interrupt at a
/// time, which then costs no jump table.
inline std::uint64_t ich_read_lr(unsigned n) {
    if (n == 0) {
        return HYP_READ_SYSREG(ich_lr0_el2);
    }
    switch (n) { HYP_EACH_OF_16(HYP_ICH_READ, ich_lr) }
    __builtin_unreachable();
}
inline void ich_write_lr(unsigned n, std::uint64_t value) {
    if (n == 0) {
        HYP_WRITE_SYSREG(ich_lr0_el2, value);
        return;
    }
    switch (n) { HYP_EACH_OF_16(HYP_ICH_WRITE, ich_lr) }
}

#define HYP_ICH_AP(name)                                                                           \
    inline std::uint64_t ich_read_##name(unsigned n) {                                             \
        switch (n) { HYP_EACH_OF_4(HYP_ICH_READ, ich_##name) }                                     \
        __builtin_unreachable();                                                                   \
    }                                                                                              \
    inline void ich_write_##name(unsigned n, std::uint64_t value) {                                \
        switch (n) { HYP_EACH_OF_4(HYP_ICH_WRITE, ich_##name) }                                    \
    }

/// Active priorities of Group 0 and 1: n below 1, 2 or 4 for 5, 6 or 7 preemption bits.
HYP_ICH_AP(ap0r)
HYP_ICH_AP(ap1r)
// NOLINTEND(bugprone-switch-missing-default-case)

#undef HYP_ICH_AP
#undef HYP_ICH_WRITE
#undef HYP_ICH_READ

} // namespace hyp::arch
