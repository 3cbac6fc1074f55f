// SPDX-License-Identifier: BSD-3-Clause
// The pretended CPU features.
#include <arch/stage2_attributes.hpp>

namespace hyp {

namespace fake {
Stage2Features stage2_features;
}

unsigned physical_address_bits() {
    return fake::stage2_features.physical_address_bits;
}

bool has_s2fwb() {
    return fake::stage2_features.s2fwb;
}

bool has_xnx() {
    return fake::stage2_features.xnx;
}

} // namespace hyp
