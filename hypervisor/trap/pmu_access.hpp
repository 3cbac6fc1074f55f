// SPDX-License-Identifier: BSD-3-Clause
// Trapped accesses to the performance counters.
#pragma once

#include "trap/register_access.hpp"

namespace hyp {

class Vcpu;

/// True: the vCPU's counters are in the hardware now, and the access is to be repeated there.
/// False: the register is none of theirs, or the vCPU has no counters.
[[nodiscard]] bool hand_over_pmu(Vcpu& vcpu, const RegisterAccess& access);

} // namespace hyp
