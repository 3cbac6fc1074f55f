// SPDX-License-Identifier: BSD-3-Clause
// CPUs and the firmware interface that starts them, from /cpus and /psci.
#include "platform/cpu_nodes.hpp"

namespace hyp {

namespace {

bool starts_by_psci(const DeviceTree& tree, DeviceTree::Node cpu) {
    return tree.text(cpu, "enable-method") == "psci";
}

/// "reg" of a cpu node: one or two cells of MPIDR affinity (bindings/arm/cpus.yaml).
std::optional<std::uint64_t> affinity(const DeviceTree& tree, DeviceTree::Node cpus,
                                      DeviceTree::Node cpu) {
    return read_cells(tree.bytes(cpu, "reg"), tree.address_cells(cpus));
}

} // namespace

void read_psci(const DeviceTree& tree, Platform& platform) {
    const auto node = tree.next_compatible(tree.root, "arm,psci-0.2");
    const auto newer = tree.next_compatible(tree.root, "arm,psci-1.0");
    const auto psci = node >= 0 ? node : newer;
    platform.psci = psci >= 0 && tree.text(psci, "method") == "smc";
}

std::expected<void, PlatformError> read_cpus(const DeviceTree& tree, std::uint64_t boot_mpidr,
                                             Platform& platform) {
    const std::uint64_t self = boot_mpidr & mpidr_affinity_mask;
    bool listed = false;
    (void)platform.cpus.push_back(self);
    const auto cpus = tree.find("/cpus");
    for (auto node = tree.first_child(cpus); node >= 0; node = tree.next_sibling(node)) {
        if (tree.text(node, "device_type") != "cpu" || !tree.enabled(node)) {
            continue;
        }
        const auto mpidr = affinity(tree, cpus, node);
        RT_FAIL_IF(!mpidr, "A cpu node of the device tree has no usable reg property.");
        if ((*mpidr & mpidr_affinity_mask) == self) {
            listed = true;
        } else if (!platform.psci || !starts_by_psci(tree, node) ||
                   !platform.cpus.push_back(*mpidr & mpidr_affinity_mask)) {
            ++platform.cpus_ignored;
        }
    }
    RT_FAIL_IF(!listed, "The device tree has no cpu node for the CPU that booted.");
    return {};
}

} // namespace hyp
