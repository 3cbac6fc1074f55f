// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 faults: a virtual device, a VMM's device, a race with EL2's own table changes, or an
// error.
#pragma once

#include <arch/guest_state.hpp>

#include <cstdint>

namespace hyp {

class Vcpu;

/// A data abort (EC 0x24) that a virtual device answers, if trap/at_once.hpp allows; else it is
/// left for the whole exit. Returns how far the PC goes on.
std::uint64_t serve_device_at_once(Vcpu&, std::uint64_t esr);

/// A data or instruction abort from the loaded vCPU.
void handle_abort(Vcpu&, const arch::ExitSyndrome&);

} // namespace hyp
