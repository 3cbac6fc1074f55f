// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the debug registers of the CPU.
#pragma once

#include <arch/guest_state.hpp>

namespace hyp::arch {

inline constexpr std::uint64_t mdscr_uses_hardware = (1u << 15) | (1u << 13) | (1u << 0);

void load_debug(const DebugRegisters&);
void trap_debug(bool trap);

} // namespace hyp::arch
