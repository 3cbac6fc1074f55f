// SPDX-License-Identifier: BSD-3-Clause
// What the CPU offers for address translation.
#pragma once

namespace hyp {

/// Width of physical addresses: 32..48 (wider ones need 52-bit descriptors, which we do not use).
unsigned physical_address_bits();
/// FEAT_S2FWB: stage 2 can force the memory type.
bool has_s2fwb();
/// FEAT_XNX: execute permission for EL1 and EL0 apart.
bool has_xnx();
/// FEAT_BTI: pages may be guarded against branches to where none is expected.
bool has_bti();

} // namespace hyp
