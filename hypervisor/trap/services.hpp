// SPDX-License-Identifier: BSD-3-Clause
// The services that a VM calls by a function identifier (Arm DEN0028, SMC Calling Convention).
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// PSCI_VERSION, which is 1.1.
inline constexpr std::uint32_t psci_version = 0x84000000;
inline constexpr std::uint64_t psci_version_1_1 = 0x10001;

/// The call that the vCPU's x0 names, with results or NOT_SUPPORTED in its registers.
void handle_smccc(Vcpu&);

// Each service answers false, having done nothing, if the function is none of its own.

/// PSCI 1.1 (Arm DEN0022): each VM's power-management group is its system.
[[nodiscard]] bool serve_psci(Vcpu&, std::uint32_t function);
/// What the convention itself offers, and the firmware's workarounds for the CPU's errata
/// (DEN0028 section 7, DEN0070).
[[nodiscard]] bool serve_arch(Vcpu&, std::uint32_t function);
/// True Random Number Generator firmware interface 1.0 (DEN0098).
[[nodiscard]] bool serve_trng(Vcpu&, std::uint32_t function);
/// Paravirtualised time (DEN0057): how long a vCPU was kept from running.
[[nodiscard]] bool serve_pv_time(Vcpu&, std::uint32_t function);
/// The watchdog as a VM feeds it; without one attached to the vCPU the answer is -1.
[[nodiscard]] bool serve_watchdog(Vcpu&, std::uint32_t function);

} // namespace hyp
