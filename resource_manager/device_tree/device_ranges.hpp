// SPDX-License-Identifier: BSD-3-Clause
// Which physical addresses the devices of a board occupy, as its device tree names them.
#pragma once

#include "memory/range_set.hpp"

namespace rm::dt {

/// Adds every device range of the tree, widened to whole pages: "reg" of nodes that have a CPU
/// address (at the root or below buses with "ranges"), and of PCI host bridges also the windows.
/// Left out: memory, reserved memory, disabled nodes, and the interrupt controller with its
/// children (the hypervisor keeps it). False when there is no memory.
[[nodiscard]] bool collect_device_ranges(const void* fdt, RangeSet& ranges);

} // namespace rm::dt
