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
//
// A vCPU that only lends its time to another leaves its open registers where they are (unsaved):
// the other one's first use of them stores them, as does flush. Only its own CPU can do either,
// and it is not let go of before.
#pragma once

#include <arch/guest_state.hpp>

namespace hyp::arch {

/// Finds the vector length that this CPU and those before it have, and closes. On each CPU at boot,
/// one after the other.
void init_vectors();
void load_vectors(GuestState&);
/// `lends`: the vCPU keeps this CPU, and is loaded here again or flushed.
void save_vectors(GuestState&, bool lends);
/// Zero, and in no CPU's registers.
void reset_vectors(FloatingPoint&);

} // namespace hyp::arch
