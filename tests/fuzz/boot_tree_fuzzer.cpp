// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the board's device tree, as the hypervisor reads it at boot and as the Resource
// Manager does after it. What the hypervisor takes of the memory must be there and be free; what
// the primary VM gets must be a tree again.
#include "tree_edits.hpp"

#include "boot/memory_plan.hpp"
#include "device_tree/device_ranges.hpp"
#include "device_tree/gic_node.hpp"
#include "platform/platform.hpp"
#include "platform/testing/tree_builder.hpp"
#include "primary/boot_modules.hpp"
#include "primary/primary_tree.hpp"

#include <runtime/flat_tree.hpp>

#include <algorithm>
#include <cstdlib>

namespace {

using hyp::PhysAddr;
using hyp::PhysRange;

constexpr PhysAddr tree_address{0x4800'0000};
constexpr PhysRange image{{0x4020'0000}, 0x42000};
constexpr std::uint64_t mpidr_of_boot_cpu = 0x8000'0000;

/// A machine with all that anyone of the two looks for.
const std::vector<std::uint8_t>& good_tree() {
    static const std::vector<std::uint8_t> blob = [] {
        hyp::testing::TreeBuilder tree;
        tree.reserve(0x7f00'0000, 0x1000);
        hyp::testing::usual_nodes(tree);
        tree.begin("reserved-memory").cells("#address-cells", {2}).cells("#size-cells", {2});
        tree.flag("ranges").begin("firmware@5000").numbers("reg", {0x5000'0000, 0x1'0000});
        tree.flag("no-map").end().end();
        tree.begin("aliases").text("serial0", "/bus/uart@9000000").end();
        tree.begin("chosen").text("stdout-path", "serial0:115200n8").text("bootargs", "quiet");
        tree.cells("#address-cells", {2}).cells("#size-cells", {2});
        tree.begin("module@48").texts("compatible", {"multiboot,kernel", "multiboot,module"});
        tree.text("bootargs", "console=ttyAMA0").numbers("reg", {0x4800'0000, 0x20'0000}).end();
        tree.begin("module@4c").texts("compatible", {"multiboot,ramdisk", "multiboot,module"});
        tree.numbers("reg", {0x4c00'0000, 0x1000}).end().end();
        tree.begin("bus").cells("#address-cells", {1}).cells("#size-cells", {1});
        tree.text("compatible", "simple-bus").cells("ranges", {0x900'0000, 0, 0x900'0000, 0x10000});
        tree.begin("uart@9000000").texts("compatible", {"arm,pl011", "arm,primecell"});
        tree.cells("reg", {0x900'0000, 0x1000}).cells("interrupts", {0, 1, 4}).end().end();
        tree.begin("pcie@10000000").text("compatible", "pci-host-ecam-generic");
        tree.text("device_type", "pci").cells("#address-cells", {3}).cells("#size-cells", {2});
        tree.numbers("reg", {0x40'1000'0000, 0x1000'0000});
        tree.cells("ranges", {0x100'0000, 0, 0, 0, 0x3eff'0000, 0, 0x1'0000});
        return tree.end().end().finish();
    }();
    return blob;
}

void require(bool good) {
    if (!good) {
        std::abort();
    }
}

void boot_hypervisor(const fuzz::Tree& tree) {
    (void)hyp::find_uart(tree.data(), tree.size());
    hyp::Platform platform;
    if (!hyp::read_platform(tree.data(), tree.size(), tree_address, mpidr_of_boot_cpu, platform)) {
        return;
    }
    PhysAddr end{0};
    for (const PhysRange& ram : platform.ram) {
        require(ram.size != 0 && ram.base.aligned_to(hyp::page_size) && ram.base >= end);
        end = ram.end();
    }
    const auto plan = hyp::plan_memory(platform, image);
    if (!plan) {
        return;
    }
    for (const PhysRange& taken : {plan->pool, plan->resource_manager}) {
        require(std::ranges::any_of(platform.ram,
                                    [&](const auto& ram) { return ram.contains(taken); }));
        require(std::ranges::none_of(platform.occupied,
                                     [&](const auto& used) { return used.overlaps(taken); }));
        require(std::ranges::none_of(plan->for_vms,
                                     [&](const auto& given) { return given.overlaps(taken); }));
    }
}

void boot_resource_manager(const fuzz::Tree& tree) {
    const void* const fdt = tree.data();
    if (!rt::FlatTree::is_well_formed(fdt, tree.size())) {
        return; // the hypervisor would have stopped
    }
    const rm::BootModules modules = rm::find_boot_modules(fdt);
    (void)rm::dt::find_gic(fdt, 2);
    rm::RangeSet devices;
    (void)rm::dt::collect_device_ranges(fdt, devices);
    rm::dt::Editor editor(fdt, 4096);
    constexpr rm::Range ram[] = {{0x4000'0000, 0x4000'0000}};
    constexpr std::uint64_t cpus[] = {0, 1};
    const rm::PrimaryTreeFacts facts{.ram = ram,
                                     .cpu_mpidr = cpus,
                                     .bootargs = modules.bootargs,
                                     .initrd = modules.initrd,
                                     .rpc_send_cap = 1,
                                     .rpc_receive_cap = 2,
                                     .rpc_send_irq = 300,
                                     .rpc_receive_irq = 301};
    if (rm::patch_primary_tree(editor, facts) != nullptr) {
        return;
    }
    if (const auto packed = editor.packed(); !packed.empty()) {
        require(rt::FlatTree::is_well_formed(packed.data(), packed.size()));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    const fuzz::Tree tree = fuzz::edited_tree(std::as_bytes(std::span(good_tree())), input);
    boot_hypervisor(tree);
    boot_resource_manager(tree);
    return 0;
}
