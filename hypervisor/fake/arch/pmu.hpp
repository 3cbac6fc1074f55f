// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the performance counters of the CPU.
#pragma once

#include <arch/guest_state.hpp>

namespace hyp::arch {

[[nodiscard]] bool has_pmu();
void load_pmu(const PmuRegisters&);
void stop_pmu();

} // namespace hyp::arch
