// SPDX-License-Identifier: BSD-3-Clause
// Reads the "arm,gic-v3" binding: reg is the distributor, then the redistributor regions.
#include "device_tree/gic_node.hpp"

namespace rm::dt {

std::optional<GicNode> read_gic(const void* fdt, Node node, unsigned cpus) {
    if (!is_compatible(fdt, node, "arm,gic-v3")) {
        return std::nullopt;
    }
    const auto distributor = reg(fdt, node, 0);
    const unsigned cells = cell(fdt, node, "#interrupt-cells").value_or(0);
    if (!distributor || distributor->size < distributor_size || cells < 3 || cells > 4) {
        return std::nullopt;
    }
    const std::uint64_t stride =
        cell(fdt, node, "redistributor-stride").value_or(redistributor_size);
    const std::uint32_t regions = cell(fdt, node, "#redistributor-regions").value_or(1);
    for (std::uint32_t i = 1; stride == redistributor_size && i <= regions; ++i) {
        const auto region = reg(fdt, node, i);
        if (!region) {
            break;
        }
        if (region->size / redistributor_size >= cpus) {
            return GicNode{.node = node,
                           .distributor = *distributor,
                           .redistributors = *region,
                           .phandle = cell(fdt, node, "phandle").value_or(0),
                           .interrupt_cells = cells};
        }
    }
    return std::nullopt;
}

std::optional<GicNode> find_gic(const void* fdt, unsigned cpus) {
    const rt::FlatTree tree(fdt);
    for (Node node = tree.next_compatible(tree.none, "arm,gic-v3"); node >= 0;
         node = tree.next_compatible(node, "arm,gic-v3")) {
        if (is_enabled(fdt, node)) {
            return read_gic(fdt, node, cpus);
        }
    }
    return std::nullopt;
}

} // namespace rm::dt
