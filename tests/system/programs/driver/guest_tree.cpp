// SPDX-License-Identifier: BSD-3-Clause
// The least device tree that the Resource Manager takes.
#include "guest_tree.hpp"

#include <libfdt.h>

#include <array>
#include <cstring>
#include <string>

#include "runner.hpp"

namespace driver {
namespace {

constexpr std::uint32_t gic_phandle = 1;
constexpr std::uint64_t distributor = 0x3fff0000;
constexpr std::uint64_t redistributor_size = 0x20000;

// A node as long as the object lives.
class Node {
public:
    Node(void* fdt, const char* name) : fdt_{fdt} { check(fdt_begin_node(fdt, name)); }
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node() { fdt_end_node(fdt_); }

    void text(const char* name, const char* value) const {
        check(fdt_property(fdt_, name, value, static_cast<int>(std::strlen(value)) + 1));
    }
    void cell(const char* name, std::uint32_t value) const {
        check(fdt_property_u32(fdt_, name, value));
    }
    void wide(const char* name, std::uint64_t value) const {
        check(fdt_property_u64(fdt_, name, value));
    }
    void flag(const char* name) const { check(fdt_property(fdt_, name, nullptr, 0)); }
    template <std::size_t count>
    void cells(const char* name, std::array<std::uint32_t, count> values) const {
        for (std::uint32_t& value : values) {
            value = cpu_to_fdt32(value);
        }
        check(fdt_property(fdt_, name, values.data(), sizeof(values)));
    }

private:
    static void check(int error) { expect_equal(error, 0, "writing the device tree"); }

    void* fdt_;
};

void cpus(void* fdt, std::uint32_t count) {
    const Node node{fdt, "cpus"};
    node.cell("#address-cells", 1);
    node.cell("#size-cells", 0);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Node cpu{fdt, ("cpu@" + std::to_string(i)).c_str()};
        cpu.text("device_type", "cpu");
        cpu.text("compatible", "arm,armv8");
        cpu.cell("reg", i);
    }
}

void interrupt_controller(void* fdt, std::uint32_t cpus) {
    const std::uint64_t size = redistributor_size * cpus;
    const Node node{fdt, "interrupt-controller"};
    node.text("compatible", "arm,gic-v3");
    node.cell("#interrupt-cells", 3);
    node.flag("interrupt-controller");
    node.cells("reg",
               std::array<std::uint32_t, 8>{0, static_cast<std::uint32_t>(distributor), 0, 0x10000,
                                            0, static_cast<std::uint32_t>(distributor - size), 0,
                                            static_cast<std::uint32_t>(size)});
    node.cell("phandle", gic_phandle);
}

void vdevices(void* fdt, const TreeOptions& options) {
    if (options.bell_label == 0 && !options.watchdog) {
        return;
    }
    const Node node{fdt, "vdevices"};
    if (options.watchdog) {
        const Node watchdog{fdt, "watchdog"};
        watchdog.text("vdevice-type", "watchdog");
    }
    if (options.bell_label != 0) {
        const Node bell{fdt, "bell"};
        bell.text("vdevice-type", "doorbell");
        bell.text("generate", "/hypervisor/bell");
        bell.cell("label", options.bell_label);
        bell.flag("peer-default");
        bell.flag("source-can-clear");
        bell.cells("interrupts", std::array<std::uint32_t, 3>{0, 8, 1});
    }
}

void vm_config(void* fdt, const TreeOptions& options) {
    const Node node{fdt, "gunyah-vm-config"};
    node.text("image-name", "driver-test");
    {
        const Node memory{fdt, "memory"};
        memory.cell("#address-cells", 2);
        memory.cell("#size-cells", 2);
        memory.wide("base-address", options.base);
        if (options.firmware != 0) {
            memory.wide("firmware-address", options.firmware);
        }
    }
    {
        const Node interrupts{fdt, "interrupts"};
        interrupts.cell("config", gic_phandle);
    }
    {
        const Node vcpus{fdt, "vcpus"};
        vcpus.text("affinity", "proxy");
    }
    vdevices(fdt, options);
}

} // namespace

void write_tree(std::span<std::byte> place, const TreeOptions& options) {
    void* fdt = place.data();
    expect_equal(fdt_create(fdt, static_cast<int>(place.size())), 0, "fdt_create");
    expect_equal(fdt_finish_reservemap(fdt), 0, "fdt_finish_reservemap");
    {
        const Node root{fdt, ""};
        root.cell("#address-cells", 2);
        root.cell("#size-cells", 2);
        root.cell("interrupt-parent", gic_phandle);
        root.text("compatible", "linux,dummy-virt");
        cpus(fdt, options.cpus);
        interrupt_controller(fdt, options.cpus);
        vm_config(fdt, options);
    }
    expect_equal(fdt_finish(fdt), 0, "fdt_finish");
}

} // namespace driver
