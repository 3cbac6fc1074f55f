// SPDX-License-Identifier: BSD-3-Clause
// Performance counters of the CPU (FEAT_PMUv3, Arm ARM D13), and whether a guest's access traps.
#pragma once

#include <arch/guest_state.hpp>

namespace hyp::arch {

[[nodiscard]] bool has_pmu();

/// Hardware -> memory. The counters stop, no overflow is signalled, and guest accesses trap.
void save_pmu(PmuRegisters&);
/// Memory -> hardware; guest accesses no longer trap.
void load_pmu(const PmuRegisters&);
/// Nothing counts and nothing is signalled. At boot, and for an interrupt that is nobody's.
void stop_pmu();

/// The guest counts, or EL0 may use the counters: they must be in the hardware while it runs.
[[nodiscard]] bool pmu_in_use(const PmuRegisters&);

} // namespace hyp::arch
