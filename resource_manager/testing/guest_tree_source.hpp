// SPDX-License-Identifier: BSD-3-Clause
// Device trees of guests for tests, as a VMM writes them.
#pragma once

#include "device_tree/editor.hpp"

#include <libfdt.h>

#include <cstdint>
#include <string>
#include <vector>

namespace rm::testing {

struct GuestTreeOptions {
    std::uint64_t base = 0x8000'0000;
    unsigned cpus = 2;
    unsigned bells = 3;
    std::string affinity = "proxy";
    std::string feature{}; // vcpus/features, or none
    std::uint64_t initrd_end = 0;
    std::uint32_t bark = 0;             // a watchdog with this SPI, from 0; 0: no watchdog
    std::uint64_t firmware_address = 0; // of a protected VM
};

/// An empty tree that an Editor can start from.
inline std::vector<char> empty_tree() {
    std::vector<char> buffer(256);
    fdt_create_empty_tree(buffer.data(), static_cast<int>(buffer.size()));
    return buffer;
}

/// The tree in an editor, so that a test can spoil it before it packs it.
inline dt::Editor guest_tree(const GuestTreeOptions& options = {}) {
    const std::vector<char> empty = empty_tree();
    dt::Editor tree(empty.data(), 16384);
    const auto at = [&](const std::string& path) { return tree.at(path); };
    tree.set_cell(0, "#address-cells", 2);
    tree.set_cell(0, "#size-cells", 2);
    tree.set_cell(0, "interrupt-parent", 1);
    tree.set_cell(at("/cpus"), "#address-cells", 1);
    tree.set_cell(at("/cpus"), "#size-cells", 0);
    for (unsigned i = options.cpus; i-- != 0;) { // libfdt puts new nodes first
        const std::string cpu = "/cpus/cpu@" + std::to_string(i);
        tree.set_text(at(cpu), "device_type", "cpu");
        tree.set_cell(at(cpu), "reg", i);
    }
    const std::uint32_t redistributors = 0x20000 * options.cpus;
    const std::uint32_t gic[] = {0, 0x3fff0000,    0, 0x10000, 0, 0x3fff0000 - redistributors,
                                 0, redistributors};
    tree.set_text(at("/intc"), "compatible", "arm,gic-v3");
    tree.set_cells(at("/intc"), "reg", gic);
    tree.set_cell(at("/intc"), "#interrupt-cells", 3);
    tree.set_flag(at("/intc"), "interrupt-controller");
    tree.set_cell(at("/intc"), "phandle", 1);
    tree.set_text(at("/gunyah-vm-config"), "image-name", "test");
    tree.set_u64(at("/gunyah-vm-config/memory"), "base-address", options.base);
    if (options.firmware_address != 0) {
        tree.set_u64(at("/gunyah-vm-config/memory"), "firmware-address", options.firmware_address);
    }
    tree.set_cell(at("/gunyah-vm-config/interrupts"), "config", 1);
    tree.set_text(at("/gunyah-vm-config/vcpus"), "affinity", options.affinity);
    tree.set_text(at("/gunyah-vm-config/vdevices"), "generate", "/hypervisor");
    for (unsigned i = 0; i < options.bells; ++i) {
        const std::string name = "bell-" + std::to_string(i);
        const std::string path = "/gunyah-vm-config/vdevices/" + name;
        const std::uint32_t interrupt[] = {0, i, 1};
        tree.set_text(at(path), "vdevice-type", "doorbell");
        tree.set_text(at(path), "generate", "/hypervisor/" + name);
        tree.set_cell(at(path), "label", i);
        tree.set_flag(at(path), "peer-default");
        tree.set_flag(at(path), "source-can-clear");
        tree.set_cells(at(path), "interrupts", interrupt);
    }
    if (!options.feature.empty()) {
        tree.set_text(at("/gunyah-vm-config/vcpus"), "features", options.feature);
    }
    if (options.initrd_end != 0) {
        tree.set_u64(at("/chosen"), "linux,initrd-end", options.initrd_end);
    }
    if (options.bark != 0) {
        const std::uint32_t interrupt[] = {0, options.bark, 1};
        tree.set_text(at("/gunyah-vm-config/vdevices/watchdog"), "vdevice-type", "watchdog");
        tree.set_cells(at("/gunyah-vm-config/vdevices/watchdog"), "interrupts", interrupt);
    }
    return tree;
}

} // namespace rm::testing
