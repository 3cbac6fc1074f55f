// SPDX-License-Identifier: BSD-3-Clause
// Reads the ID registers of the CPU that runs it; boot checks that all CPUs agree.
#include <arch/stage2_attributes.hpp>
#include <arch/sysreg.hpp>

#include <array>
#include <cstdint>

namespace hyp {

unsigned physical_address_bits() {
    // ID_AA64MMFR0_EL1.PARange; values above 48 bits are used as 48. Kept: stage 2 asks often.
    constexpr std::array<std::uint8_t, 6> widths{32, 36, 40, 42, 44, 48};
    static constinit unsigned bits = 0; // the boot CPU asks before others run
    if (bits == 0) {
        const unsigned range = HYP_ID_FIELD(id_aa64mmfr0_el1, 0);
        bits = range < widths.size() ? widths[range] : widths.back();
    }
    return bits;
}

bool has_s2fwb() {
    return HYP_ID_FIELD(s3_0_c0_c7_2, 40) != 0; // ID_AA64MMFR2_EL1.FWB
}

bool has_xnx() {
    return HYP_ID_FIELD(id_aa64mmfr1_el1, 28) != 0; // ID_AA64MMFR1_EL1.XNX
}

bool has_bti() {
    return HYP_ID_FIELD(id_aa64pfr1_el1, 0) != 0; // ID_AA64PFR1_EL1.BT
}

} // namespace hyp
