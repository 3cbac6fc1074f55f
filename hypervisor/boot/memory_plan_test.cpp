// SPDX-License-Identifier: BSD-3-Clause
// Where the hypervisor's pool goes.
#include "boot/memory_plan.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

constexpr std::uint64_t mib = 1u << 20;
constexpr PhysRange image{{0x4020'0000}, 0x42000};

Platform machine_with(std::uint64_t ram) {
    Platform platform;
    EXPECT_TRUE(platform.ram.push_back({{0x4000'0000}, ram}));
    return platform;
}

TEST(MemoryPlan, image_pool_and_resource_manager_are_one_piece) {
    const auto plan = plan_memory(machine_with(2048 * mib), image);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->pool.base, image.end());
    EXPECT_GE(plan->pool.size, pool_size(2048 * mib));
    EXPECT_LT(plan->pool.size, pool_size(2048 * mib) + 2 * mib);
    EXPECT_EQ(plan->resource_manager.base, plan->pool.end());
    EXPECT_TRUE(plan->resource_manager.base.aligned_to(2 * mib));
    ASSERT_EQ(plan->for_vms.size(), 2u);
    EXPECT_EQ(plan->for_vms[0], (PhysRange{{0x4000'0000}, 2 * mib}));
    EXPECT_EQ(plan->for_vms[1].base, plan->resource_manager.end());
    EXPECT_EQ(plan->for_vms[1].end(), PhysAddr{0x4000'0000 + 2048 * mib});
}

TEST(MemoryPlan, moves_when_something_lies_behind_the_image) {
    Platform platform = machine_with(2048 * mib);
    ASSERT_TRUE(platform.occupied.push_back({{0x4040'0000}, mib}));
    const auto plan = plan_memory(platform, image);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->pool.base, PhysAddr{0x4060'0000});
    EXPECT_FALSE(plan->pool.overlaps(image));
}

TEST(MemoryPlan, says_so_when_there_is_no_room) {
    EXPECT_FALSE(plan_memory(machine_with(4 * mib), image));
}

static_assert(pool_size(2048 * mib) == (2 + 4) * mib + 5 * mib / 2);
static_assert(resource_manager_size(2048 * mib) == 6 * mib);

} // namespace
} // namespace hyp
