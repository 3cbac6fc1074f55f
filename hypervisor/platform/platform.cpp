// SPDX-License-Identifier: BSD-3-Clause
// Reads the machine's description in an order in which each step can rely on the one before.
#include "platform/platform.hpp"

#include "platform/cpu_nodes.hpp"
#include "platform/interrupt_nodes.hpp"
#include "platform/memory_map.hpp"

namespace hyp {

namespace {

constexpr std::uint64_t largest_tree = 2u << 20;

} // namespace

std::uint64_t device_tree_size(const void* header) {
    const std::uint64_t size = rt::FlatTree::total_size(header);
    return size <= largest_tree ? size : 0;
}

std::expected<void, PlatformError> read_platform(const void* device_tree, std::uint64_t available,
                                                 PhysAddr device_tree_address,
                                                 std::uint64_t boot_mpidr, Platform& platform) {
    const auto tree = DeviceTree::open(device_tree, available);
    RT_FAIL_IF(!tree, "The firmware's device tree is damaged.");
    read_psci(*tree, platform);
    RT_TRY(read_memory_map(*tree, device_tree_address, platform));
    RT_TRY(read_cpus(*tree, boot_mpidr, platform));
    RT_TRY(read_gic(*tree, platform));
    return read_timers(*tree, platform);
}

} // namespace hyp
