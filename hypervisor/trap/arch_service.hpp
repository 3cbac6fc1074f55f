// SPDX-License-Identifier: BSD-3-Clause
// The Arm Architecture Service of SMCCC (Arm DEN0028 section 7, DEN0070): what the convention
// itself offers, and the firmware's workarounds for the CPU's errata.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// Serves SMCCC_VERSION, ARCH_FEATURES, ARCH_SOC_ID and ARCH_WORKAROUND_1..3; false for any other.
[[nodiscard]] bool handle_arch_service(Vcpu& vcpu, std::uint32_t function);

} // namespace hyp
