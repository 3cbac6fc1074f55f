// SPDX-License-Identifier: BSD-3-Clause
// The GICv3 and the per-CPU interrupts of the architected timers.
#pragma once

#include "platform/device_tree.hpp"
#include "platform/platform.hpp"

namespace hyp {

std::expected<void, PlatformError> read_gic(const DeviceTree& tree, Platform& platform);
std::expected<void, PlatformError> read_timers(const DeviceTree& tree, Platform& platform);

} // namespace hyp
