// SPDX-License-Identifier: BSD-3-Clause
// Which RAM the hypervisor keeps for itself and for the Resource Manager.
#pragma once

#include "platform/platform.hpp"

namespace hyp {

struct MemoryPlan {
    PhysRange image;            // the hypervisor's own code and data
    PhysRange pool;             // for the page allocator
    PhysRange resource_manager; // 2 MiB aligned

    /// RAM that VMs get: all of the platform's but the above.
    rt::FixedVector<PhysRange, Platform::max_ram> for_vms;
};

/// Bytes of pool for a machine with `ram` bytes: 4 bytes of ownership record per 4 KiB page
/// (1/1024; what rounding it up to a power of two takes more comes from the next item); a stage-2
/// table of 4 KiB per 2 MiB (1/512: no block of RAM left whole in one more VM than its owner); 2.5
/// MiB for objects, capability spaces and everything else.
constexpr std::uint64_t pool_size(std::uint64_t ram) {
    constexpr std::uint64_t objects = 5u << 19;
    return align_up(objects + ram / 1024 + ram / 512, page_size);
}

/// Bytes for the Resource Manager: 1 MiB for image, stack and objects, and 8 bytes per 4 KiB page
/// of RAM (1/512): it notes 24 bytes for each run of pages in a shared parcel, so that a third of
/// RAM can be shared even if no two pages are neighbours.
constexpr std::uint64_t resource_manager_size(std::uint64_t ram) {
    constexpr std::uint64_t large_page = 2u << 20;
    return align_up((1u << 20) + ram / 512, large_page);
}

/// Puts pool and Resource Manager right behind the image if that RAM is free, so that what VMs
/// cannot have is one piece; else into the lowest free RAM.
std::expected<MemoryPlan, PlatformError> plan_memory(const Platform& platform, PhysRange image);

} // namespace hyp
