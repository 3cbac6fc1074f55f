// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 faults: a virtual device, a VMM's device, a race with EL2's own table changes, or an
// error.
#pragma once

#include <arch/guest_state.hpp>

namespace hyp {

class Vcpu;

/// A data or instruction abort from the loaded vCPU.
void handle_abort(Vcpu&, const arch::ExitSyndrome&);

} // namespace hyp
