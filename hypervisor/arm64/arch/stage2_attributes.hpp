// SPDX-License-Identifier: BSD-3-Clause
// What this CPU offers for address translation; boot checks that all CPUs agree.
#pragma once

#include <arch/sysreg.hpp>

#include <array>
#include <cstdint>

namespace hyp {

/// Width of physical addresses: 32..48 (wider ones need 52-bit descriptors, which we do not use).
inline unsigned physical_address_bits() {
    // ID_AA64MMFR0_EL1.PARange; values above 48 bits are used as 48. Kept: stage 2 asks often.
    constexpr std::array<std::uint8_t, 6> widths{32, 36, 40, 42, 44, 48};
    static constinit unsigned bits = 0; // the boot CPU asks before others run
    if (bits == 0) {
        const unsigned range = HYP_ID_FIELD(id_aa64mmfr0_el1, 0);
        bits = range < widths.size() ? widths[range] : widths.back();
    }
    return bits;
}
/// FEAT_S2FWB: stage 2 can force the memory type.
inline bool has_s2fwb() {
    return HYP_ID_FIELD(s3_0_c0_c7_2, 40) != 0; // ID_AA64MMFR2_EL1.FWB
}
/// FEAT_XNX: execute permission for EL1 and EL0 apart.
inline bool has_xnx() {
    return HYP_ID_FIELD(id_aa64mmfr1_el1, 28) != 0; // ID_AA64MMFR1_EL1.XNX
}
/// FEAT_BTI: pages may be guarded against branches to where none is expected.
inline bool has_bti() {
    return HYP_ID_FIELD(id_aa64pfr1_el1, 0) != 0; // ID_AA64PFR1_EL1.BT
}

} // namespace hyp
