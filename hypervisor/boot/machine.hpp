// SPDX-License-Identifier: BSD-3-Clause
// The machine as boot found it.
#pragma once

#include "boot/memory_plan.hpp"
#include "platform/platform.hpp"

namespace hyp {

struct Machine {
    Platform platform;
    MemoryPlan memory;
    PhysRange device_tree;                    // as firmware left it
    const void* device_tree_mapped = nullptr; // read-only view of it
};

/// Written by the boot CPU before others run; read-only afterwards.
const Machine& machine();

} // namespace hyp
