// SPDX-License-Identifier: BSD-3-Clause
// Reads bindings/interrupt-controller/arm,gic-v3.yaml and bindings/timer/arm,arch_timer.yaml.
#include "platform/interrupt_nodes.hpp"

namespace hyp {

namespace {

using Status = std::expected<void, PlatformError>;

constexpr IntId first_ppi = 16;
constexpr IntId ppi_count = 16;
constexpr std::uint32_t interrupt_type_ppi = 1;
constexpr std::size_t least_cells = 3; // type, number, flags

/// The index-th entry of "interrupts" as a private interrupt of the GIC.
std::optional<IntId> private_interrupt(const DeviceTree& tree, DeviceTree::Node node,
                                       std::size_t index, std::size_t cells) {
    const auto type = tree.cell(node, "interrupts", index * cells);
    const auto number = tree.cell(node, "interrupts", index * cells + 1);
    if (type != interrupt_type_ppi || !number || *number >= ppi_count) {
        return std::nullopt;
    }
    return first_ppi + *number;
}

std::size_t interrupt_cells(const DeviceTree& tree) {
    const auto gic = tree.next_compatible(tree.root, "arm,gic-v3");
    return gic < 0 ? least_cells : tree.cell(gic, "#interrupt-cells").value_or(least_cells);
}

Status read_its(const DeviceTree& tree, DeviceTree::Node gic, GicInfo& info) {
    for (auto node = tree.first_child(gic); node >= 0; node = tree.next_sibling(node)) {
        if (!tree.compatible(node, "arm,gic-v3-its")) {
            continue; // disabled ones too: VMs must not reach them either
        }
        const auto range = tree.reg(node);
        RT_FAIL_IF(range && !info.its.push_back(*range),
                   "The device tree has more ITSs than supported (8).");
    }
    return {};
}

} // namespace

Status read_gic(const DeviceTree& tree, Platform& platform) {
    const auto gic = tree.next_compatible(tree.root, "arm,gic-v3");
    if (gic < 0) {
        return std::unexpected(
            "The device tree has no GICv3 (compatible \"arm,gic-v3\"); with QEMU "
            "give -M virt,gic-version=3.");
    }
    const auto distributor = tree.reg(gic, 0);
    const std::uint32_t regions = tree.cell(gic, "#redistributor-regions").value_or(1);
    RT_FAIL_IF(!distributor, "The GICv3 node of the device tree has no usable reg property.");
    platform.gic.distributor = *distributor;
    for (std::uint32_t i = 0; i < regions; ++i) {
        const auto region = tree.reg(gic, 1 + i);
        RT_FAIL_IF(!region || !platform.gic.redistributors.push_back(*region),
                   "The GICv3 node lacks redistributor regions, or has over 16.");
    }
    platform.gic.redistributor_stride = tree.number(gic, "redistributor-stride").value_or(0);
    constexpr IntId usual_maintenance = 25; // Arm DEN0029 (BSA), PPI assignments
    platform.gic.maintenance =
        private_interrupt(tree, gic, 0, interrupt_cells(tree)).value_or(usual_maintenance);
    return read_its(tree, gic, platform.gic);
}

Status read_timers(const DeviceTree& tree, Platform& platform) {
    // Order of the interrupts in the binding.
    constexpr std::size_t physical = 1;
    constexpr std::size_t virtual_timer = 2;
    constexpr std::size_t hypervisor = 3;
    const auto node = tree.next_compatible(tree.root, "arm,armv8-timer");
    RT_FAIL_IF(node < 0, "The device tree has no timer node (compatible \"arm,armv8-timer\").");
    const std::size_t cells = interrupt_cells(tree);
    const auto phys = private_interrupt(tree, node, physical, cells);
    const auto virt = private_interrupt(tree, node, virtual_timer, cells);
    const auto hyp = private_interrupt(tree, node, hypervisor, cells);
    RT_FAIL_IF(!phys || !virt || !hyp,
               "The timer node lacks the physical, virtual or hypervisor interrupt.");
    platform.timers = {*phys, *virt, *hyp};
    return {};
}

} // namespace hyp
