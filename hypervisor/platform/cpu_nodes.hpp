// SPDX-License-Identifier: BSD-3-Clause
// CPUs and the firmware interface that starts them, from /cpus and /psci.
#pragma once

#include "platform/device_tree.hpp"
#include "platform/platform.hpp"

namespace hyp {

/// PSCI counts only if its conduit is SMC: HVC from EL2 would call ourselves.
void read_psci(const DeviceTree& tree, Platform& platform);

/// Needs read_psci() before it.
std::expected<void, PlatformError> read_cpus(const DeviceTree& tree, std::uint64_t boot_mpidr,
                                             Platform& platform);

} // namespace hyp
