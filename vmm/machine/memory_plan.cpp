// SPDX-License-Identifier: BSD-3-Clause
// MemoryPlan: kernel at the base, device tree at the end, initrd just below the device tree.
#include "machine/memory_plan.hpp"

#include "machine/layout.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t page_size = 4096;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
    return (value + to - 1) / to * to;
}

} // namespace

std::uint64_t MemoryPlan::smallest_ram(const KernelImage& kernel, std::uint64_t initrd_size) {
    const std::uint64_t kernel_end = kernel.text_offset + round_up(kernel.image_size, page_size);
    return round_up(kernel_end + round_up(initrd_size, page_size), layout::ram_alignment) +
           device_tree_area;
}

std::optional<MemoryPlan> MemoryPlan::make(std::uint64_t ram_size, const KernelImage& kernel,
                                           std::uint64_t initrd_size) {
    // Both are attacker-free but may be absurd; keep the sums below from wrapping.
    if (kernel.image_size > ram_size || initrd_size > ram_size ||
        smallest_ram(kernel, initrd_size) > ram_size) {
        return std::nullopt;
    }
    const std::uint64_t device_tree = layout::ram_base + ram_size - device_tree_area;
    return MemoryPlan{.kernel = layout::ram_base + kernel.text_offset,
                      .initrd = device_tree - round_up(initrd_size, page_size),
                      .device_tree = device_tree};
}

} // namespace vmm
