// SPDX-License-Identifier: BSD-3-Clause
// Trapped accesses to system registers: identification, debug, SGI generation; all else is
// undefined for the guest.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// `esr`: the syndrome of an MSR, MRS or system instruction trap (EC 0x18).
void handle_system_register(Vcpu&, std::uint64_t esr);
/// Likewise for what is frequent, if trap/at_once.hpp allows; else it is left for the whole exit.
/// Returns how far the PC goes on.
std::uint64_t serve_register_at_once(Vcpu&, std::uint64_t esr);

} // namespace hyp
