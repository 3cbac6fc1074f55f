// SPDX-License-Identifier: BSD-3-Clause
// Paravirtualised time (Arm DEN0057): how long a vCPU was kept from running.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// True if PV_TIME_FEATURES says of `function` that it is there for this vCPU.
[[nodiscard]] bool has_pv_time(const Vcpu& vcpu, std::uint32_t function);
/// Serves PV_TIME_FEATURES and PV_TIME_ST; false for any other function.
[[nodiscard]] bool handle_pv_time(Vcpu& vcpu, std::uint32_t function);

} // namespace hyp
