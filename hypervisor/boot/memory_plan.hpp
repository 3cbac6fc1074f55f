// SPDX-License-Identifier: BSD-3-Clause
// Which RAM the hypervisor keeps for itself and for the Resource Manager.
#pragma once

#include "platform/platform.hpp"

#include <expected>

namespace hyp {

struct MemoryPlan {
    PhysRange image;            // the hypervisor's own code and data
    PhysRange pool;             // for the page allocator
    PhysRange resource_manager; // 2 MiB aligned

    /// RAM that VMs get: all of the platform's but the above.
    rt::FixedVector<PhysRange, Platform::max_ram> for_vms;
};

/// Memory of the Resource Manager: image, stack and heap.
inline constexpr std::uint64_t resource_manager_memory = 4u << 20;

/// Bytes of pool for a machine with `ram` bytes: 4 bytes of ownership record per 4 KiB page
/// (1/1024), two stage-2 tables of 4 KiB per 2 MiB (1/256: every page mapped by two VMs with no
/// block left whole), and 4 MiB for objects, capability spaces and everything else.
constexpr std::uint64_t pool_size(std::uint64_t ram) {
    constexpr std::uint64_t objects = 4u << 20;
    return align_up(objects + ram / 1024 + ram / 256, page_size);
}

/// Puts pool and Resource Manager right behind the image if that RAM is free, so that what VMs
/// cannot have is one piece; else into the lowest free RAM.
std::expected<MemoryPlan, PlatformError> plan_memory(const Platform& platform, PhysRange image);

} // namespace hyp
