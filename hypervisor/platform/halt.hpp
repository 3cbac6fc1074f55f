// SPDX-License-Identifier: BSD-3-Clause
// Stopping all CPUs after a panic: one asks, the others stop at their next physical interrupt.
#pragma once

namespace hyp {

/// A CPU panicked: whoever handles a reschedule SGI calls halt_this_cpu().
[[nodiscard]] bool machine_is_halting();

/// Asks; the caller sends the SGI. True for the first CPU that asks, which is the one to report.
[[nodiscard]] bool request_halt();

/// Sleeps for ever.
[[noreturn]] void halt_this_cpu();

} // namespace hyp
