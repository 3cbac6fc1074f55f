// SPDX-License-Identifier: BSD-3-Clause
// build_device_tree(): one function per node, in the order of the tree.
#include "machine/device_tree.hpp"

#include <fmt/format.h>

#include "machine/fdt_writer.hpp"
#include "machine/layout.hpp"

namespace vmm {
namespace {

using Node = FdtWriter::Node;

constexpr std::uint32_t gic_phandle = 1;
constexpr std::uint32_t clock_phandle = 2;
constexpr std::uint32_t gpio_phandle = 3;

// Interrupt specifier of the GICv3 binding: type, number, trigger.
constexpr std::uint32_t shared_peripheral = 0;
constexpr std::uint32_t private_peripheral = 1;
constexpr std::uint32_t edge_rising = 1;
constexpr std::uint32_t level_high = 4;

void chosen(FdtWriter& fdt, const GuestDescription& guest) {
    const Node node{fdt, "chosen"};
    fdt.text("bootargs", guest.command_line);
    for (const DeviceDescription& device : guest.devices) {
        if (device.kind == DeviceDescription::Kind::pl011) {
            fdt.text("stdout-path", fmt::format("/pl011@{:x}", device.base));
            break;
        }
    }
    if (guest.initrd) {
        fdt.wide("linux,initrd-start", {guest.initrd->begin});
        fdt.wide("linux,initrd-end", {guest.initrd->end});
    }
    fdt.wide("kaslr-seed", {guest.kaslr_seed});
    fdt.bytes("rng-seed", guest.random_seed.data(), guest.random_seed.size());
}

void cpus(FdtWriter& fdt, std::uint32_t count) {
    const Node node{fdt, "cpus"};
    fdt.cells("#address-cells", {1});
    fdt.cells("#size-cells", {0});
    for (std::uint32_t index = 0; index < count; ++index) {
        const Node cpu{fdt, fmt::format("cpu@{:x}", index)};
        fdt.text("device_type", "cpu");
        fdt.text("compatible", "arm,armv8");
        fdt.cells("reg", {index});
        fdt.text("enable-method", "psci");
    }
}

void psci(FdtWriter& fdt) {
    const Node node{fdt, "psci"};
    fdt.texts("compatible", {"arm,psci-1.0", "arm,psci-0.2"});
    fdt.text("method", "hvc");
}

void timer(FdtWriter& fdt) {
    const Node node{fdt, "timer"};
    fdt.text("compatible", "arm,armv8-timer");
    std::vector<std::uint32_t> interrupts;
    for (const std::uint32_t ppi : {layout::timer_secure_ppi, layout::timer_physical_ppi,
                                    layout::timer_virtual_ppi, layout::timer_hypervisor_ppi}) {
        interrupts.insert(interrupts.end(), {private_peripheral, ppi, level_high});
    }
    fdt.cells("interrupts", interrupts);
    fdt.flag("always-on");
}

// Where the CPU has no counters the kernel finds none by its registers and goes on.
void performance_counters(FdtWriter& fdt) {
    const Node node{fdt, "pmu"};
    fdt.text("compatible", "arm,armv8-pmuv3");
    fdt.cells("interrupts", {private_peripheral, layout::counter_overflow_ppi, level_high});
}

void interrupt_controller(FdtWriter& fdt, std::uint32_t cpu_count) {
    const std::uint64_t redistributors = layout::redistributor_size * cpu_count;
    const Node node{fdt, fmt::format("interrupt-controller@{:x}", layout::distributor_base)};
    fdt.text("compatible", "arm,gic-v3");
    fdt.cells("#interrupt-cells", {3});
    fdt.flag("interrupt-controller");
    fdt.wide("reg", {layout::distributor_base, layout::distributor_size,
                     layout::distributor_base - redistributors, redistributors});
    fdt.cells("phandle", {gic_phandle});
}

void clock(FdtWriter& fdt) {
    const Node node{fdt, "clock"};
    fdt.text("compatible", "fixed-clock");
    fdt.cells("#clock-cells", {0});
    fdt.cells("clock-frequency", {24'000'000});
    fdt.cells("phandle", {clock_phandle});
}

void registers_and_interrupt(FdtWriter& fdt, const DeviceDescription& device) {
    fdt.wide("reg", {device.base, device.size});
    if (device.spi) {
        fdt.cells("interrupts", {shared_peripheral, *device.spi, edge_rising});
    }
}

void pl011(FdtWriter& fdt, const DeviceDescription& device) {
    const Node node{fdt, fmt::format("pl011@{:x}", device.base)};
    fdt.texts("compatible", {"arm,pl011", "arm,primecell"});
    registers_and_interrupt(fdt, device);
    fdt.cells("clocks", {clock_phandle, clock_phandle});
    fdt.texts("clock-names", {"uartclk", "apb_pclk"});
}

void pl031(FdtWriter& fdt, const DeviceDescription& device) {
    const Node node{fdt, fmt::format("pl031@{:x}", device.base)};
    fdt.texts("compatible", {"arm,pl031", "arm,primecell"});
    registers_and_interrupt(fdt, device);
    fdt.cells("clocks", {clock_phandle});
    fdt.text("clock-names", "apb_pclk");
}

void sp805(FdtWriter& fdt, const DeviceDescription& device) {
    const Node node{fdt, fmt::format("watchdog@{:x}", device.base)};
    fdt.texts("compatible", {"arm,sp805", "arm,primecell"});
    registers_and_interrupt(fdt, device);
    fdt.cells("clocks", {clock_phandle, clock_phandle});
    fdt.texts("clock-names", {"wdog_clk", "apb_pclk"});
}

void pl061(FdtWriter& fdt, const DeviceDescription& device) {
    const Node node{fdt, fmt::format("pl061@{:x}", device.base)};
    fdt.texts("compatible", {"arm,pl061", "arm,primecell"});
    registers_and_interrupt(fdt, device);
    fdt.cells("clocks", {clock_phandle});
    fdt.text("clock-names", "apb_pclk");
    fdt.flag("gpio-controller");
    fdt.cells("#gpio-cells", {2});
    fdt.flag("interrupt-controller");
    fdt.cells("#interrupt-cells", {2});
    fdt.cells("phandle", {gpio_phandle});
}

// What the guest's service manager takes as the wish to shut down.
void power_button(FdtWriter& fdt) {
    constexpr std::uint32_t key_power = 116; // linux/input-event-codes.h
    constexpr std::uint32_t active_high = 0;
    const Node node{fdt, "gpio-keys"};
    fdt.text("compatible", "gpio-keys");
    const Node key{fdt, "power"};
    fdt.text("label", "power button");
    fdt.cells("linux,code", {key_power});
    fdt.cells("gpios", {gpio_phandle, layout::power_button_line, active_high});
}

void virtio_mmio(FdtWriter& fdt, const DeviceDescription& device) {
    const Node node{fdt, fmt::format("virtio_mmio@{:x}", device.base)};
    fdt.text("compatible", "virtio,mmio");
    registers_and_interrupt(fdt, device);
    fdt.flag("dma-coherent");
}

void doorbell(FdtWriter& fdt, std::uint32_t spi) {
    const std::string name = fmt::format("bell-{}", layout::doorbell_label(spi));
    const Node node{fdt, name};
    fdt.text("vdevice-type", "doorbell");
    fdt.text("generate", "/hypervisor/" + name);
    fdt.cells("label", {layout::doorbell_label(spi)});
    fdt.flag("peer-default");
    fdt.flag("source-can-clear");
    fdt.cells("interrupts", {shared_peripheral, spi, edge_rising});
}

// What only the Resource Manager reads.
void vm_config(FdtWriter& fdt, const GuestDescription& guest) {
    const Node node{fdt, "gunyah-vm-config"};
    fdt.text("image-name", "gunyah-vm");
    fdt.text("os-type", "linux");
    {
        const Node memory{fdt, "memory"};
        fdt.cells("#address-cells", {2});
        fdt.cells("#size-cells", {2});
        fdt.wide("base-address", {guest.ram_base});
    }
    {
        const Node interrupts{fdt, "interrupts"};
        fdt.cells("config", {gic_phandle});
    }
    {
        const Node vcpus{fdt, "vcpus"};
        fdt.text("affinity", "proxy");
        fdt.texts("features", {"sve", "pmu", "pv-time"}); // all, as far as there
    }
    const Node vdevices{fdt, "vdevices"};
    fdt.text("generate", "/hypervisor");
    for (const DeviceDescription& device : guest.devices) {
        if (device.spi) {
            doorbell(fdt, *device.spi);
        }
    }
}

void root(FdtWriter& fdt, const GuestDescription& guest) {
    const Node node{fdt, ""};
    fdt.cells("#address-cells", {2});
    fdt.cells("#size-cells", {2});
    fdt.cells("interrupt-parent", {gic_phandle});
    fdt.text("model", "Gunyah virtual machine");
    fdt.text("compatible", "linux,dummy-virt");
    chosen(fdt, guest);
    cpus(fdt, guest.cpus);
    psci(fdt);
    timer(fdt);
    performance_counters(fdt);
    interrupt_controller(fdt, guest.cpus);
    clock(fdt);
    for (const DeviceDescription& device : guest.devices) {
        switch (device.kind) {
        case DeviceDescription::Kind::pl011:
            pl011(fdt, device);
            break;
        case DeviceDescription::Kind::pl031:
            pl031(fdt, device);
            break;
        case DeviceDescription::Kind::pl061:
            pl061(fdt, device);
            power_button(fdt);
            break;
        case DeviceDescription::Kind::sp805:
            sp805(fdt, device);
            break;
        case DeviceDescription::Kind::virtio_mmio:
            virtio_mmio(fdt, device);
            break;
        }
    }
    vm_config(fdt, guest);
}

} // namespace

std::vector<std::byte> build_device_tree(const GuestDescription& guest, std::size_t capacity) {
    FdtWriter fdt{capacity};
    root(fdt, guest);
    return fdt.finish();
}

} // namespace vmm
