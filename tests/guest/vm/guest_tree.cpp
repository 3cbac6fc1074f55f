// SPDX-License-Identifier: BSD-3-Clause
// Writes the tree with libfdt, as VMMs do.
#include "vm/guest_tree.hpp"

#include "check/check.hpp"
#include "vm/mailbox.hpp"

#include <runtime/print.hpp>

#include <libfdt.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace test {

namespace {

constexpr std::uint32_t gic_phandle = 1;

/// Keeps the first error.
class Tree {
public:
    explicit Tree(std::span<std::byte> buffer) : fdt_(buffer.data()) {
        const auto size = static_cast<int>(buffer.size());
        note(fdt_create(fdt_, size));
        note(fdt_finish_reservemap(fdt_));
    }
    void begin(const char* name) { note(fdt_begin_node(fdt_, name)); }
    void end() { note(fdt_end_node(fdt_)); }
    void text(const char* name, const char* value) {
        const std::string_view text(value);
        note(fdt_property(fdt_, name, value, static_cast<int>(text.size() + 1)));
    }
    void cells(const char* name, std::initializer_list<std::uint32_t> values) {
        std::array<fdt32_t, 16> big_endian{};
        std::size_t used = 0;
        for (const std::uint32_t value : values) {
            big_endian[used++] = cpu_to_fdt32(value);
        }
        note(fdt_property(fdt_, name, big_endian.data(), static_cast<int>(used * 4)));
    }
    void empty(const char* name) { note(fdt_property(fdt_, name, nullptr, 0)); }
    void finish(std::size_t size) {
        note(fdt_finish(fdt_));
        note(fdt_open_into(fdt_, fdt_, static_cast<int>(size)));
        if (error_ != 0) {
            fail("libfdt error {} while the VM's device tree was built", error_);
        }
    }

private:
    void note(int result) {
        if (error_ == 0 && result < 0) {
            error_ = result;
        }
    }
    void* fdt_;
    int error_ = 0;
};

std::uint32_t high(std::uint64_t value) {
    return static_cast<std::uint32_t>(value >> 32);
}
std::uint32_t low(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}

void add_cpus(Tree& tree, unsigned count) {
    tree.begin("cpus");
    tree.cells("#address-cells", {2});
    tree.cells("#size-cells", {0});
    for (unsigned i = 0; i < count; ++i) {
        std::array<char, 16> name{};
        rt::BufferSink sink({name.data(), name.size() - 1});
        rt::print(sink, "cpu@{}", i);
        tree.begin(name.data());
        tree.text("device_type", "cpu");
        tree.text("compatible", "arm,armv8");
        tree.text("enable-method", "psci");
        tree.cells("reg", {0, i});
        tree.end();
    }
    tree.end();
}

void add_interrupt_controller(Tree& tree, unsigned cpus) {
    tree.begin("interrupt-controller@3fff0000");
    tree.text("compatible", "arm,gic-v3");
    tree.empty("interrupt-controller");
    tree.cells("#interrupt-cells", {3});
    tree.cells("phandle", {gic_phandle});
    tree.cells("reg", {0, low(guest_distributor), 0, 0x10000, 0, low(guest_redistributors), 0,
                       cpus * 0x20000});
    tree.end();
    tree.begin("timer");
    tree.text("compatible", "arm,armv8-timer");
    tree.cells("interrupts", {1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4});
    tree.end();
    tree.begin("psci");
    tree.text("compatible", "arm,psci-1.0");
    tree.text("method", "hvc");
    tree.end();
}

void add_bell(Tree& tree) {
    tree.begin("vdevices");
    tree.text("generate", "/hypervisor");
    tree.begin("bell-7");
    tree.text("vdevice-type", "doorbell");
    tree.text("generate", "/hypervisor/bell-7");
    tree.cells("label", {guest_bell_label});
    tree.empty("peer-default");
    tree.empty("source-can-clear");
    tree.cells("interrupts", {0, guest_bell_spi - 32, 1});
    tree.end();
    tree.begin("watchdog");
    tree.text("vdevice-type", "watchdog");
    tree.cells("interrupts", {0, guest_bark_spi - 32, 1});
    tree.end();
    tree.end();
}

void add_config(Tree& tree, const GuestTreeOptions& options) {
    tree.begin("gunyah-vm-config");
    tree.text("image-name", "conformance");
    tree.text("os-type", "linux");
    tree.begin("memory");
    tree.cells("#address-cells", {2});
    tree.cells("#size-cells", {2});
    tree.cells("base-address", {high(options.base_address), low(options.base_address)});
    tree.end();
    tree.begin("interrupts");
    tree.cells("config", {gic_phandle});
    tree.end();
    tree.begin("vcpus");
    tree.text("affinity", options.affinity);
    if (options.feature != nullptr) {
        tree.text("features", options.feature);
    }
    if (options.affinity_map.size() == 2) {
        tree.cells("affinity-map", {options.affinity_map[0], options.affinity_map[1]});
    }
    tree.end();
    add_bell(tree);
    tree.end();
}

} // namespace

void build_guest_tree(std::span<std::byte> buffer, const GuestTreeOptions& options) {
    Tree tree(buffer);
    tree.begin("");
    tree.text("compatible", "linux,dummy-virt");
    tree.cells("#address-cells", {2});
    tree.cells("#size-cells", {2});
    tree.cells("interrupt-parent", {gic_phandle});
    tree.begin("chosen");
    tree.text("bootargs", "conformance");
    tree.end();
    add_cpus(tree, options.cpus);
    add_interrupt_controller(tree, options.cpus);
    if (options.config) {
        add_config(tree, options);
    }
    tree.end();
    tree.finish(buffer.size());
}

} // namespace test
