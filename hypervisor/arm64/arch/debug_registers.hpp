// SPDX-License-Identifier: BSD-3-Clause
// Breakpoint and watchpoint registers of the CPU, and whether a guest's access to them traps.
#pragma once

#include <arch/guest_state.hpp>

#include <cstdint>

namespace hyp::arch {

/// MDSCR_EL1.{MDE, KDE, SS}: while none is set, no breakpoint, watchpoint or step can fire, so the
/// registers need not be in the hardware.
inline constexpr std::uint64_t mdscr_uses_hardware = (1u << 15) | (1u << 13) | (1u << 0);

void save_debug(DebugRegisters&);
void load_debug(const DebugRegisters&);
/// MDCR_EL2.TDA: guest accesses to debug registers trap to EL2 or reach the hardware.
void trap_debug(bool trap);

} // namespace hyp::arch
