// SPDX-License-Identifier: BSD-3-Clause
// What only the firmware can do to the machine (PSCI, Arm DEN0022).
#pragma once

namespace hyp {

/// Powers the machine off, or resets it. Does not return; panics if the firmware refuses.
[[noreturn]] void firmware_system_off();
[[noreturn]] void firmware_system_reset();

} // namespace hyp
