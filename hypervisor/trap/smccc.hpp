// SPDX-License-Identifier: BSD-3-Clause
// HVC and SMC by a guest: Gunyah's own calls, PSCI, and the standard discovery calls.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

void handle_hvc(Vcpu&, std::uint16_t immediate);
void handle_smc(Vcpu&, std::uint16_t immediate);

} // namespace hyp
