// SPDX-License-Identifier: BSD-3-Clause
// PSCI 1.1 for VMs (Arm DEN0022): each VM's power-management group is its system.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// Function identifier of PSCI_VERSION.
inline constexpr std::uint32_t psci_version = 0x84000000;

[[nodiscard]] bool is_psci(std::uint32_t function);
void handle_psci(Vcpu&, std::uint32_t function);

} // namespace hyp
