// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the CPU features that shape stage-2 tables; tests set them.
#pragma once

namespace hyp {

/// Width of physical addresses: 32..52.
unsigned physical_address_bits();
/// FEAT_S2FWB: stage 2 can force the memory type.
bool has_s2fwb();
/// FEAT_XNX: execute permission for EL1 and EL0 apart.
bool has_xnx();

namespace fake {
struct Stage2Features {
    unsigned physical_address_bits = 40;
    bool s2fwb = false;
    bool xnx = false;
};
extern Stage2Features stage2_features;
} // namespace fake

} // namespace hyp
