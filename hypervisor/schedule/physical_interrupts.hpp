// SPDX-License-Identifier: BSD-3-Clause
// Physical interrupts that reached EL2: for the scheduler, for a vCPU's timers, or for a VM.
#pragma once

namespace hyp {

/// Acknowledges and dispatches everything that is pending on this CPU.
void handle_physical_interrupts();

} // namespace hyp
