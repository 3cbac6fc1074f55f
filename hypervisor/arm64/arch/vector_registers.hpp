// SPDX-License-Identifier: BSD-3-Clause
// FP, SIMD and SVE registers of the loaded vCPU. They are loaded at its first use of them:
//
//            load, registers here are others'       first use traps
//     saved ---------------------------------> closed -----------> open
//       |                                         |                 |
//       |  load, registers here are still its own |                 |
//       +-----------------------------------------)---------------->|
//       ^                    save                 |   save: stored  |
//       +-----------------------------------------+-----------------+
#pragma once

#include <arch/guest_state.hpp>

namespace hyp::arch {

/// Finds the vector length that this CPU and those before it have, and closes. On each CPU at boot,
/// one after the other.
void init_vectors();
void load_vectors(GuestState&);
void save_vectors(GuestState&);
/// Zero, and in no CPU's registers.
void reset_vectors(FloatingPoint&);

} // namespace hyp::arch
