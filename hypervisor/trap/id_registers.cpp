// SPDX-License-Identifier: BSD-3-Clause
// The allow-list. A feature is here only if all its state is kept apart per vCPU, or it has none.
// Hidden therefore: SME, MTE, RAS, AMU, MPAM, SPE, TRBE, tracing, EL2, LORegions, LS64. SVE and the
// performance counters only vCPUs see that were configured so.
#include "trap/id_registers.hpp"

#include <algorithm>

namespace hyp {

namespace {

constexpr unsigned key(unsigned crm, unsigned op2) {
    return crm * 8 + op2;
}

// Four-bit fields by the number of their lowest bit (Arm ARM D19.2, one section per register).
template <typename... Lsb>
constexpr std::uint64_t fields(Lsb... lsb) {
    return ((std::uint64_t{0xf} << lsb) | ... | std::uint64_t{0});
}

struct Rule {
    unsigned key;
    std::uint64_t allowed; // bits that pass
    std::uint64_t fixed;   // bits that are set whatever the CPU says
};

constexpr std::uint64_t everything = ~std::uint64_t{0};

// Between ID_DFR0 and ID_PFR2 nothing is hidden: ID_MMFR0..4, ID_ISAR0..6, MVFR0..2.
constexpr unsigned first_open = key(1, 4);
constexpr unsigned last_open = key(3, 2);

constexpr Rule rules[] = {
    // AArch32 at EL0: no trace (ID_DFR0), no RAS or AMU (ID_PFR0, PFR2).
    {key(1, 0), fields(0, 4, 8, 12, 16, 24), 0},
    {key(1, 1), fields(0, 4, 8, 16, 20, 28), 0},
    {key(1, 2), fields(0, 24), 0},
    {key(3, 4), fields(0, 4), 0}, // ID_PFR2: CSV3, SSBS
    {key(3, 6), fields(0), 0},    // ID_MMFR5: ETS
    // ID_AA64PFR0: EL0, EL1, FP, AdvSIMD, GIC, SVE, DIT, CSV2, CSV3.
    {key(4, 0), fields(0, 4, 16, 20, 32, 48, 56, 60), 1ull << 24},
    // ID_AA64PFR1: BT, SSBS, CSV2_frac.
    {key(4, 1), fields(0, 4, 32), 0},
    {key(4, 4), everything, 0}, // ID_AA64ZFR0
    // ID_AA64DFR0: DebugVer, PMUVer, BRPs, WRPs, CTX_CMPs, DoubleLock.
    {key(5, 0), fields(0, 8, 12, 20, 28, 36), 0},
    // ID_AA64ISAR0: AES .. RNDR but TME.
    {key(6, 0), everything & ~fields(24), 0},
    // ID_AA64ISAR1: DPB, APA, API, JSCVT, FCMA, LRCPC, GPA, GPI, FRINTTS, SB, SPECRES, BF16, DGH,
    // I8MM.
    {key(6, 1), fields(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52), 0},
    // ID_AA64ISAR2: RPRES, GPA3, APA3, BC, PAC_frac.
    {key(6, 2), fields(4, 8, 12, 20, 24), 0},
    // ID_AA64MMFR0: PARange, ASIDBits, BigEnd, SNSMem, BigEndEL0, TGran16, TGran64, TGran4.
    {key(7, 0), fields(0, 4, 8, 12, 16, 20, 24, 28), 0},
    // ID_AA64MMFR1: HAFDBS, HPDS, PAN, ETS, nTLBPA. XNX and VMIDBits concern EL2 only.
    {key(7, 1), fields(0, 12, 20, 36, 48), 0},
    // ID_AA64MMFR2: CnP, UAO, LSM, VARange, CCIDX, ST, AT, IDS, TTL, BBM, E0PD.
    {key(7, 2), fields(0, 4, 8, 16, 20, 28, 32, 36, 48, 52, 60), 0},
};

// PMUv3p8 (8) is the last version whose registers EL2 knows; later ones add some.
std::uint64_t limit_pmu(std::uint64_t value, unsigned lsb) {
    constexpr std::uint64_t newest = 8;
    const std::uint64_t version = (value >> lsb) & 0xf;
    if (version == 0xf) {
        return value & ~fields(lsb); // not architected
    }
    return (value & ~fields(lsb)) | (std::min(version, newest) << lsb);
}

// The fields that a vCPU's features decide on.
std::uint64_t apply(GuestFeatures features, unsigned which, std::uint64_t value) {
    constexpr unsigned pmu64_lsb = 8;
    constexpr unsigned pmu32_lsb = 24;
    constexpr unsigned sve_lsb = 32;
    switch (which) {
    case key(1, 2):
        return features.pmu ? limit_pmu(value, pmu32_lsb) : value & ~fields(pmu32_lsb);
    case key(4, 0):
        return features.sve ? value : value & ~fields(sve_lsb);
    case key(4, 4):
        return features.sve ? value : 0;
    case key(5, 0):
        return features.pmu ? limit_pmu(value, pmu64_lsb) : value & ~fields(pmu64_lsb);
    default:
        return value;
    }
}

} // namespace

std::uint64_t guest_id_register(unsigned crm, unsigned op2, std::uint64_t physical,
                                GuestFeatures features) {
    const unsigned which = key(crm, op2);
    if (which >= first_open && which <= last_open) {
        return physical;
    }
    for (const Rule& rule : rules) {
        if (rule.key == which) {
            return apply(features, which, (physical & rule.allowed) | rule.fixed);
        }
    }
    return 0;
}

} // namespace hyp
