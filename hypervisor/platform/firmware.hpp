// SPDX-License-Identifier: BSD-3-Clause
// What only the firmware can do to the machine (PSCI, Arm DEN0022) or to a CPU (Arm DEN0028).
#pragma once

#include <cstdint>

namespace hyp {

/// Powers the machine off, or resets it. Does not return; panics if the firmware refuses.
[[noreturn]] void firmware_system_off();
[[noreturn]] void firmware_system_reset();

/// What the firmware's SMCCC_ARCH_FEATURES says of `function` on this CPU: negative where there is
/// no such function, or no firmware of SMCCC 1.1 or later.
std::int32_t firmware_arch_features(std::uint32_t function);
/// Calls a function of the Arm Architecture Service that firmware_arch_features() knows.
std::int64_t firmware_arch_call(std::uint32_t function, std::uint64_t argument);

} // namespace hyp
