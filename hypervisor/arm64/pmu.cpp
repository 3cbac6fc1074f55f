// SPDX-License-Identifier: BSD-3-Clause
// The traps of MDCR_EL2 are off exactly while a vCPU's counters are in the hardware.
#include <arch/pmu.hpp>
#include <arch/sysreg.hpp>

namespace hyp::arch {

namespace {

constexpr std::uint64_t all_counters = 0xffffffff;
constexpr std::uint64_t pmcr_enable = 1;
constexpr std::uint64_t mdcr_pmu_traps = (1u << 6) | (1u << 5); // TPM, TPMCR

unsigned event_counters() {
    return static_cast<unsigned>((HYP_READ_SYSREG(pmcr_el0) >> 11) & 0x1f);
}

void trap_pmu(bool trap) {
    const std::uint64_t mdcr = HYP_READ_SYSREG(mdcr_el2);
    HYP_WRITE_SYSREG(mdcr_el2, trap ? mdcr | mdcr_pmu_traps : mdcr & ~mdcr_pmu_traps);
}

void select(unsigned counter) {
    HYP_WRITE_SYSREG(pmselr_el0, std::uint64_t{counter});
    isb();
}

} // namespace

bool has_pmu() {
    constexpr unsigned not_architected = 0xf;
    const unsigned version = HYP_ID_FIELD(id_aa64dfr0_el1, 8); // PMUVer
    return version != 0 && version != not_architected;
}

bool pmu_in_use(const PmuRegisters& p) {
    return ((p.control & pmcr_enable) != 0 && p.enabled != 0) || p.user_enable != 0;
}

void stop_pmu() {
    HYP_WRITE_SYSREG(pmcr_el0, HYP_READ_SYSREG(pmcr_el0) & ~pmcr_enable);
    HYP_WRITE_SYSREG(pmcntenclr_el0, all_counters);
    HYP_WRITE_SYSREG(pmintenclr_el1, all_counters);
    HYP_WRITE_SYSREG(pmovsclr_el0, all_counters);
    HYP_WRITE_SYSREG(pmuserenr_el0, std::uint64_t{0});
    isb();
}

void save_pmu(PmuRegisters& p) {
    p.control = HYP_READ_SYSREG(pmcr_el0);
    p.selection = HYP_READ_SYSREG(pmselr_el0);
    p.user_enable = HYP_READ_SYSREG(pmuserenr_el0);
    p.enabled = HYP_READ_SYSREG(pmcntenset_el0);
    p.interrupts = HYP_READ_SYSREG(pmintenset_el1);
    HYP_WRITE_SYSREG(pmcntenclr_el0, all_counters);
    isb(); // no overflow after this is missed
    p.overflows = HYP_READ_SYSREG(pmovsset_el0);
    stop_pmu();
    p.cycles = HYP_READ_SYSREG(pmccntr_el0);
    p.cycle_filter = HYP_READ_SYSREG(pmccfiltr_el0);
    for (unsigned n = event_counters(); n-- > 0;) {
        select(n);
        p.counters[n] = HYP_READ_SYSREG(pmxevcntr_el0);
        p.types[n] = HYP_READ_SYSREG(pmxevtyper_el0);
    }
    trap_pmu(true);
}

void load_pmu(const PmuRegisters& p) {
    trap_pmu(false);
    for (unsigned n = event_counters(); n-- > 0;) {
        select(n);
        HYP_WRITE_SYSREG(pmxevcntr_el0, p.counters[n]);
        HYP_WRITE_SYSREG(pmxevtyper_el0, p.types[n]);
    }
    HYP_WRITE_SYSREG(pmccntr_el0, p.cycles);
    HYP_WRITE_SYSREG(pmccfiltr_el0, p.cycle_filter);
    HYP_WRITE_SYSREG(pmselr_el0, p.selection);
    HYP_WRITE_SYSREG(pmuserenr_el0, p.user_enable);
    HYP_WRITE_SYSREG(pmovsset_el0, p.overflows);
    HYP_WRITE_SYSREG(pmintenset_el1, p.interrupts);
    HYP_WRITE_SYSREG(pmcntenset_el0, p.enabled);
    HYP_WRITE_SYSREG(pmcr_el0, p.control);
    isb();
}

} // namespace hyp::arch
