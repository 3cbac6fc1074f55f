// SPDX-License-Identifier: BSD-3-Clause
// Chooses places in RAM; pure arithmetic on the platform's description.
#include "boot/memory_plan.hpp"

#include "platform/memory_map.hpp"

namespace hyp {

namespace {

constexpr std::uint64_t large_page = 2u << 20;

std::uint64_t total_ram(const Platform& platform) {
    std::uint64_t sum = 0;
    for (const PhysRange& range : platform.ram) {
        sum += range.size;
    }
    return sum;
}

} // namespace

std::expected<MemoryPlan, PlatformError> plan_memory(const Platform& platform, PhysRange image) {
    MemoryPlan plan;
    plan.image = image;
    plan.for_vms = platform.ram;

    const std::uint64_t ram = total_ram(platform);
    const std::uint64_t least = pool_size(ram);
    const std::uint64_t manager = resource_manager_size(ram);
    const PhysAddr behind = image.end();
    const std::uint64_t pool_here = align_up(behind.value + least, large_page) - behind.value;
    auto base = find_free(platform, pool_here + manager, page_size, behind);
    std::uint64_t size = pool_here;
    if (base != behind) {
        size = align_up(least, large_page);
        Platform with_image = platform;
        RT_FAIL_IF(!with_image.occupied.push_back(image),
                   "The device tree reserves too many pieces of memory.");
        base = find_free(with_image, size + manager, large_page, PhysAddr{0});
    }
    RT_FAIL_IF(!base, "RAM has no free piece large enough for the hypervisor's pool.");
    plan.pool = {*base, size};
    plan.resource_manager = {*base + size, manager};
    for (const PhysRange& kept : {plan.image, plan.pool, plan.resource_manager}) {
        RT_FAIL_IF(!subtract(plan.for_vms, kept), "RAM is in too many pieces (16 are supported).");
    }
    return plan;
}

} // namespace hyp
