// SPDX-License-Identifier: BSD-3-Clause
// The groups of cases, one file each.
#pragma once

#include <span>

#include "runner.hpp"

namespace driver {

// Empty where the kernel has no fault injection.
std::span<const Case> fault_cases();
std::span<const Case> function_cases();
std::span<const Case> guest_cases();
std::span<const Case> ioeventfd_cases();
std::span<const Case> irqfd_cases();
std::span<const Case> lend_cases();
// Empty where the module gunyah_liar is not loaded.
std::span<const Case> lie_cases();
std::span<const Case> lifecycle_cases();
std::span<const Case> memory_cases();
std::span<const Case> mischief_cases();
std::span<const Case> ringer_cases();
std::span<const Case> stress_cases();
std::span<const Case> vcpu_cases();
std::span<const Case> wakeup_cases();

// A guest in lent memory that runs for ever. Says so when it does.
[[noreturn]] void hold_guest();

} // namespace driver
