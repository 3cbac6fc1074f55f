// SPDX-License-Identifier: BSD-3-Clause
// Turns the board's device tree into the primary VM's.
#include "primary/primary_tree.hpp"

#include "primary/boot_modules.hpp"
#include "vm/guest_tree.hpp"

#include <abi/rm_rpc.h>

#include <algorithm>

namespace rm {

namespace {

constexpr std::uint32_t edge_rising = 1; // third cell of the GIC binding

/// LPIs are not virtualised: no ITS, and nobody may refer to one.
void remove_what_is_kept(dt::Editor& tree) {
    tree.remove_nodes([](const void* fdt, dt::Node node) {
        return is_boot_module(fdt, node) || dt::is_compatible(fdt, node, "arm,gic-v3-its");
    });
    tree.remove_properties_everywhere({"msi-map", "msi-map-mask", "msi-parent"});
}

bool is_cpu(const void* fdt, dt::Node node) {
    const auto type = dt::text(fdt, node, "device_type");
    return type && *type == "cpu";
}

std::uint64_t cpu_affinity(const void* fdt, dt::Node node) {
    const auto reg = dt::property(fdt, node, "reg");
    const bool wide = reg && reg->size() == 8;
    return reg ? dt::number(*reg, 0, wide ? 2 : 1) : ~std::uint64_t{0};
}

/// Keeps the cpu nodes of the VM's vCPUs. A cpu-map that names removed ones goes as a whole.
void keep_own_cpus(dt::Editor& tree, std::span<const std::uint64_t> mpidr) {
    bool removed = false;
    tree.remove_nodes([&](const void* fdt, dt::Node node) {
        const bool foreign = is_cpu(fdt, node) && std::find(mpidr.begin(), mpidr.end(),
                                                            cpu_affinity(fdt, node)) == mpidr.end();
        removed = removed || foreign;
        return foreign;
    });
    if (removed) {
        tree.remove_nodes([](const void* fdt, dt::Node node) {
            return rt::FlatTree(fdt).name(node) == "cpu-map";
        });
    }
    for (dt::Node node = 0; tree.error() == 0 && node >= 0;
         node = rt::FlatTree(tree.fdt()).next(node)) {
        if (is_cpu(tree.fdt(), node)) {
            tree.set_text(node, "enable-method", "psci");
            tree.remove_property(node, "cpu-release-addr");
        }
    }
}

/// The board says how EL2 calls its firmware; a VM calls the hypervisor, by HVC.
void set_psci(dt::Editor& tree) {
    dt::Node node = -1;
    for (const char* compatible : {"arm,psci-1.0", "arm,psci-0.2", "arm,psci"}) {
        if (tree.error() == 0 && node < 0) {
            node = rt::FlatTree(tree.fdt()).next_compatible(-1, compatible);
        }
    }
    if (node < 0) {
        node = tree.at("/psci");
    }
    tree.set_texts(node, "compatible", {"arm,psci-1.0", "arm,psci-0.2"});
    tree.set_text(node, "method", "hvc");
    // Function numbers of PSCI 0.1; the standard ones hold here.
    for (const char* name : {"cpu_on", "cpu_off", "cpu_suspend", "migrate"}) {
        tree.remove_property(node, name);
    }
}

void set_chosen(dt::Editor& tree, const PrimaryTreeFacts& facts) {
    const dt::Node chosen = tree.at("/chosen");
    if (!facts.bootargs.empty()) {
        tree.set_text(chosen, "bootargs", facts.bootargs);
    }
    tree.remove_property(chosen, "linux,initrd-start");
    tree.remove_property(chosen, "linux,initrd-end");
    if (facts.initrd) {
        tree.set_u64(chosen, "linux,initrd-start", facts.initrd->base);
        tree.set_u64(chosen, "linux,initrd-end", facts.initrd->end());
    }
}

/// The GIC as the VM has it: the distributor and exactly its vCPUs' redistributors in one region,
/// nothing of the CPU interfaces' memory-mapped variants.
const char* set_gic(dt::Editor& tree, const dt::GicNode& gic, unsigned cpus) {
    const dt::Node parent = rt::FlatTree(tree.fdt()).parent(gic.node);
    const dt::CellCounts cells = dt::cell_counts(tree.fdt(), parent);
    const auto reg = dt::property(tree.fdt(), gic.node, "reg");
    if (!cells.usable() || cells.size == 0 || !reg) {
        return "the GIC node's reg cannot be rewritten";
    }
    // Bus addresses stay; only the size of the redistributor region in use changes.
    const std::size_t entry = cells.address + cells.size;
    std::array<std::uint32_t, 8> value{};
    for (std::size_t i = 0; i < entry; ++i) {
        value[i] = static_cast<std::uint32_t>(dt::number(*reg, i, 1));
    }
    std::size_t region = 1;
    for (std::size_t i = 1; i * entry * 4 < reg->size(); ++i) {
        const auto range = dt::reg(tree.fdt(), gic.node, i);
        region = range && *range == gic.redistributors ? i : region;
    }
    for (std::size_t i = 0; i < cells.address; ++i) {
        value[entry + i] = static_cast<std::uint32_t>(dt::number(*reg, region * entry + i, 1));
    }
    value[2 * entry - 1] = static_cast<std::uint32_t>(cpus * dt::redistributor_size);
    tree.set_cells(gic.node, "reg", std::span(value).first(2 * entry));
    tree.set_cell(gic.node, "#redistributor-regions", 1);
    return nullptr;
}

void add_resource_manager(dt::Editor& tree, const PrimaryTreeFacts& facts, const dt::GicNode& gic) {
    const dt::Node parent = add_hypervisor_node(tree, gic.phandle);
    const dt::Node node = tree.child(parent, "gunyah-resource-mgr@0");
    tree.set_texts(
        node, "compatible",
        {"gunyah-resource-manager", "qcom,resource-manager-1-0", "qcom,resource-manager"});
    const std::array reg{static_cast<std::uint32_t>(facts.rpc_send_cap >> 32),
                         static_cast<std::uint32_t>(facts.rpc_send_cap),
                         static_cast<std::uint32_t>(facts.rpc_receive_cap >> 32),
                         static_cast<std::uint32_t>(facts.rpc_receive_cap)};
    tree.set_cells(node, "reg", reg);
    std::array<std::uint32_t, 8> interrupts{};
    interrupts[1] = facts.rpc_send_irq - dt::first_spi;
    interrupts[2] = edge_rising;
    interrupts[gic.interrupt_cells + 1] = facts.rpc_receive_irq - dt::first_spi;
    interrupts[gic.interrupt_cells + 2] = edge_rising;
    tree.set_cells(node, "interrupts", std::span(interrupts).first(2ULL * gic.interrupt_cells));
    add_vm_identity(tree, GH_VMID_PRIMARY, std::nullopt);
}

} // namespace

const char* patch_primary_tree(dt::Editor& tree, const PrimaryTreeFacts& facts) {
    remove_what_is_kept(tree);
    keep_own_cpus(tree, facts.cpu_mpidr);
    set_psci(tree);
    set_chosen(tree, facts);
    if (!set_memory(tree, facts.ram)) {
        return "its root's cell counts cannot express the memory";
    }
    const auto cpus = static_cast<unsigned>(facts.cpu_mpidr.size());
    const auto gic = dt::find_gic(tree.fdt(), cpus);
    if (!gic || gic->phandle == 0) {
        return "it has no GICv3 node with a phandle and room for every CPU";
    }
    const char* wrong = set_gic(tree, *gic, cpus);
    if (wrong == nullptr) {
        add_resource_manager(tree, facts, *gic);
    }
    return wrong;
}

} // namespace rm
