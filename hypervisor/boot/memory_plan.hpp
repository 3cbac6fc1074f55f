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

/// Bytes of pool for a machine with `ram` bytes: 4 bytes of ownership record per 4 KiB page, as a
/// power of two (at most 1/512); two stage-2 tables of 4 KiB per 2 MiB (1/256: every page mapped by
/// two VMs with no block left whole); 4 MiB for objects, capability spaces and everything else.
constexpr std::uint64_t pool_size(std::uint64_t ram) {
    constexpr std::uint64_t objects = 4u << 20;
    return align_up(objects + ram / 512 + ram / 256, page_size);
}

/// Bytes for the Resource Manager: 4 MiB for image, stack and objects, and 16 bytes per 4 KiB page
/// of RAM (1/256), so that it can note each page of each shared parcel even when no two are
/// neighbours.
constexpr std::uint64_t resource_manager_size(std::uint64_t ram) {
    constexpr std::uint64_t large_page = 2u << 20;
    return align_up((4u << 20) + ram / 256, large_page);
}

/// Puts pool and Resource Manager right behind the image if that RAM is free, so that what VMs
/// cannot have is one piece; else into the lowest free RAM.
std::expected<MemoryPlan, PlatformError> plan_memory(const Platform& platform, PhysRange image);

} // namespace hyp
