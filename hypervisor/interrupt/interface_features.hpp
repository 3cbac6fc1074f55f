// SPDX-License-Identifier: BSD-3-Clause
// How large the virtual CPU interface of this machine is (ICH_VTR_EL2), the same on all CPUs.
#pragma once

namespace hyp {

struct InterfaceFeatures {
    unsigned list_registers = 4;   // 1..16
    unsigned preemption_bits = 5;  // 5..7
    unsigned active_registers = 1; // of ICH_AP0R<n> and ICH_AP1R<n> each: 1, 2 or 4
};

/// Valid after VicCpu::init_cpu(), which alone writes it.
extern InterfaceFeatures interface_features;

} // namespace hyp
