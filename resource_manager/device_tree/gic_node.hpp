// SPDX-License-Identifier: BSD-3-Clause
// A GICv3 node of a device tree: where its registers are and how interrupts are written.
#pragma once

#include "device_tree/tree.hpp"

namespace rm::dt {

/// Bytes of one redistributor: RD and SGI frames of 64 KiB each (GICv3 without virtual LPIs).
inline constexpr std::uint64_t redistributor_size = 0x20000;
inline constexpr std::uint64_t distributor_size = 0x10000;
inline constexpr std::uint32_t first_spi = 32;
inline constexpr std::uint32_t last_spi = 1019;

struct GicNode {
    Node node;
    Range distributor;
    /// The first redistributor region that has room for the number of CPUs asked for.
    Range redistributors;
    std::uint32_t phandle; // 0 when it has none
    unsigned interrupt_cells;
};

/// Reads a node that is compatible with "arm,gic-v3", for `cpus` redistributors in one region.
std::optional<GicNode> read_gic(const void* fdt, Node node, unsigned cpus);

/// The first enabled GICv3 of the tree.
std::optional<GicNode> find_gic(const void* fdt, unsigned cpus);

} // namespace rm::dt
