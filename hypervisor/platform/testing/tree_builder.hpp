// SPDX-License-Identifier: BSD-3-Clause
// Builds small device trees for tests, node by node.
#pragma once

#include <libfdt.h>

#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

namespace hyp::testing {

class TreeBuilder {
public:
    TreeBuilder() : blob_(16384) {
        check(fdt_create(blob_.data(), static_cast<int>(blob_.size())));
    }
    /// Only before the first node.
    TreeBuilder& reserve(std::uint64_t base, std::uint64_t size) {
        check(fdt_add_reservemap_entry(blob_.data(), base, size));
        return *this;
    }
    TreeBuilder& begin(const std::string& name) {
        if (depth_++ == 0) {
            check(fdt_finish_reservemap(blob_.data()));
        }
        check(fdt_begin_node(blob_.data(), name.c_str()));
        return *this;
    }
    TreeBuilder& end() {
        --depth_;
        check(fdt_end_node(blob_.data()));
        return *this;
    }
    TreeBuilder& text(const char* name, const std::string& value) {
        check(fdt_property_string(blob_.data(), name, value.c_str()));
        return *this;
    }
    /// A list of strings, each with its NUL.
    TreeBuilder& texts(const char* name, std::initializer_list<std::string> values) {
        std::string joined;
        for (const std::string& value : values) {
            joined += value + '\0';
        }
        check(fdt_property(blob_.data(), name, joined.data(), static_cast<int>(joined.size())));
        return *this;
    }
    TreeBuilder& cells(const char* name, const std::vector<std::uint32_t>& values) {
        std::vector<fdt32_t> big;
        for (const std::uint32_t value : values) {
            big.push_back(cpu_to_fdt32(value));
        }
        check(fdt_property(blob_.data(), name, big.data(),
                           static_cast<int>(big.size() * sizeof(fdt32_t))));
        return *this;
    }
    /// Pairs of 64-bit numbers, for a parent with two address and two size cells.
    TreeBuilder& numbers(const char* name, std::initializer_list<std::uint64_t> values) {
        std::vector<std::uint32_t> parts;
        for (const std::uint64_t value : values) {
            parts.push_back(static_cast<std::uint32_t>(value >> 32));
            parts.push_back(static_cast<std::uint32_t>(value));
        }
        return cells(name, parts);
    }
    TreeBuilder& flag(const char* name) { return cells(name, {}); }

    /// The tree, in a buffer of exactly its size, so that a sanitizer sees each byte beyond.
    std::vector<std::uint8_t> finish() {
        check(fdt_finish(blob_.data()));
        blob_.resize(fdt_totalsize(blob_.data()));
        blob_.shrink_to_fit();
        return blob_;
    }

private:
    static void check(int result) {
        if (result != 0) {
            throw std::runtime_error(fdt_strerror(result));
        }
    }

    std::vector<std::uint8_t> blob_;
    int depth_ = 0;
};

/// Which nodes of the usual machine a test leaves out or changes.
struct UsualMachine {
    bool memory = true;
    bool gic = true;
    bool timer = true;
    bool psci = true;
    std::string psci_method = "smc";
    unsigned cpus = 2;
};

/// A root node with the properties and nodes of a simple machine like QEMU's virt; left open, so
/// that a test adds its own nodes before end().
inline TreeBuilder& usual_nodes(TreeBuilder& tree, const UsualMachine& machine = {}) {
    tree.begin("").cells("#address-cells", {2}).cells("#size-cells", {2});
    if (machine.memory) {
        tree.begin("memory@40000000").text("device_type", "memory");
        tree.numbers("reg", {0x4000'0000, 0x4000'0000}).end();
    }
    if (machine.psci) {
        tree.begin("psci").texts("compatible", {"arm,psci-1.0", "arm,psci-0.2"});
        tree.text("method", machine.psci_method).end();
    }
    tree.begin("cpus").cells("#address-cells", {1}).cells("#size-cells", {0});
    for (unsigned i = 0; i < machine.cpus; ++i) {
        tree.begin("cpu@" + std::to_string(i)).text("device_type", "cpu");
        tree.text("enable-method", "psci").cells("reg", {i}).end();
    }
    tree.end();
    if (machine.gic) {
        tree.begin("intc@8000000").text("compatible", "arm,gic-v3");
        tree.cells("#interrupt-cells", {3}).cells("#address-cells", {2}).cells("#size-cells", {2});
        tree.flag("ranges").flag("interrupt-controller").cells("interrupts", {1, 9, 4});
        tree.numbers("reg", {0x800'0000, 0x1'0000, 0x80a'0000, 0xf6'0000});
        tree.begin("its@8080000").text("compatible", "arm,gic-v3-its");
        tree.numbers("reg", {0x808'0000, 0x2'0000}).end().end();
    }
    if (machine.timer) {
        tree.begin("timer").texts("compatible", {"arm,armv8-timer", "arm,armv7-timer"});
        tree.cells("interrupts", {1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4}).end();
    }
    return tree;
}

} // namespace hyp::testing
