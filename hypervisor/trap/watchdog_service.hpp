// SPDX-License-Identifier: BSD-3-Clause
// The watchdog as a VM feeds it: SMCCC calls of the vendor-specific hypervisor service.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

[[nodiscard]] bool is_watchdog_service(std::uint32_t function);
/// Serves one of them; without a watchdog attached to the vCPU it answers -1.
void handle_watchdog_service(Vcpu& vcpu, std::uint32_t function);

} // namespace hyp
