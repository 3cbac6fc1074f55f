// SPDX-License-Identifier: BSD-3-Clause
// MemoryPlan: what goes where in the guest's RAM.
#pragma once

#include <cstdint>
#include <optional>

#include "machine/kernel_image.hpp"

namespace vmm {

struct MemoryPlan {
    // The device tree stands in the last 2 MiB of RAM; behind it there is at least `slack` room for
    // what the Resource Manager adds to the tree, and behind that what the Resource Manager takes
    // for the vCPUs' stolen time (docs/interfaces.md, "PV time").
    static constexpr std::uint64_t device_tree_slack = 64 * 1024;
    static constexpr std::uint64_t stolen_time_area = 64 * 1024;
    static constexpr std::uint64_t device_tree_area = 2 * 1024 * 1024; // with both
    static constexpr std::uint64_t device_tree_window = device_tree_area - stolen_time_area;

    std::uint64_t kernel;      // guest physical addresses
    std::uint64_t initrd;      // page aligned; equal to device_tree if there is none
    std::uint64_t device_tree; // 2 MiB aligned

    // `ram_size`: bytes, a multiple of 2 MiB; `initrd_size` 0 = none. Nothing if it does not fit.
    static std::optional<MemoryPlan> make(std::uint64_t ram_size, const KernelImage& kernel,
                                          std::uint64_t initrd_size);
    // Smallest `ram_size` for which make() succeeds, rounded up to 2 MiB.
    static std::uint64_t smallest_ram(const KernelImage& kernel, std::uint64_t initrd_size);
};

} // namespace vmm
