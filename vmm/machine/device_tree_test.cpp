// SPDX-License-Identifier: BSD-3-Clause
// Tests of build_device_tree(): the tree is read back with libfdt.
#include "machine/device_tree.hpp"

#include <gtest/gtest.h>
#include <libfdt.h>

#include <stdexcept>

namespace vmm {
namespace {

using Kind = DeviceDescription::Kind;

class DeviceTreeTest : public testing::Test {
protected:
    void build(std::uint32_t cpus = 2, bool with_initrd = true) {
        GuestDescription guest{.cpus = cpus,
                               .ram_base = 0x8000'0000,
                               .command_line = "console=ttyAMA0 quiet",
                               .initrd = std::nullopt,
                               .devices = {{Kind::pl011, 0x900'0000, 0x1000, 0},
                                           {Kind::pl031, 0x901'0000, 0x1000, 9},
                                           {Kind::pl061, 0x902'0000, 0x1000, 7},
                                           {Kind::sp805, 0x903'0000, 0x1000, std::nullopt},
                                           {Kind::virtio_mmio, 0xa00'0000, 0x200, 1},
                                           {Kind::virtio_mmio, 0xa00'0200, 0x200, 2}},
                               .kaslr_seed = 0x1122'3344'5566'7788,
                               .random_seed = {}};
        if (with_initrd) {
            guest.initrd = AddressRange{0x8400'0000, 0x8412'3456};
        }
        tree = build_device_tree(guest, 0x1'0000);
        ASSERT_EQ(fdt_check_full(tree.data(), tree.size()), 0);
    }
    int node(const char* path) { return fdt_path_offset(tree.data(), path); }
    std::string text(const char* path, const char* property) {
        int length = 0;
        const void* value = fdt_getprop(tree.data(), node(path), property, &length);
        return value == nullptr
                   ? std::string{"<none>"}
                   : std::string{static_cast<const char*>(value), static_cast<std::size_t>(length)};
    }
    static std::string strings(std::initializer_list<std::string> parts) {
        std::string joined;
        for (const auto& part : parts) {
            joined += part + '\0';
        }
        return joined;
    }
    std::vector<std::uint32_t> cells(const char* path, const char* property) {
        const std::string bytes = text(path, property);
        std::vector<std::uint32_t> result(bytes.size() / 4);
        for (std::size_t index = 0; index < result.size(); ++index) {
            result[index] = fdt32_ld(reinterpret_cast<const fdt32_t*>(bytes.data()) + index);
        }
        return result;
    }
    bool has(const char* path, const char* property) {
        return fdt_getprop(tree.data(), node(path), property, nullptr) != nullptr;
    }

    std::vector<std::byte> tree;
};

using Cells = std::vector<std::uint32_t>;

TEST_F(DeviceTreeTest, LeavesToTheResourceManagerWhatIsIts) {
    build();
    EXPECT_EQ(node("/memory"), -FDT_ERR_NOTFOUND);
    EXPECT_EQ(node("/hypervisor"), -FDT_ERR_NOTFOUND);
}

TEST_F(DeviceTreeTest, DescribesClockAndPowerButton) {
    build();
    EXPECT_EQ(cells("/pl031@9010000", "reg"), (Cells{0, 0x901'0000, 0, 0x1000}));
    EXPECT_EQ(cells("/pl031@9010000", "interrupts"), (Cells{0, 9, 1}));
    EXPECT_EQ(cells("/watchdog@9030000", "reg"), (Cells{0, 0x903'0000, 0, 0x1000}));
    EXPECT_FALSE(has("/watchdog@9030000", "interrupts"));
    EXPECT_EQ(cells("/pl061@9020000", "interrupts"), (Cells{0, 7, 1}));
    const Cells gpio = cells("/gpio-keys/power", "gpios");
    ASSERT_EQ(gpio.size(), 3U);
    EXPECT_EQ(gpio[0], cells("/pl061@9020000", "phandle").front());
    EXPECT_EQ(gpio[1], 0U);
    EXPECT_EQ(cells("/gpio-keys/power", "linux,code"), Cells{116});
}

TEST_F(DeviceTreeTest, DescribesCpusTimerAndPsci) {
    build(3);
    EXPECT_EQ(cells("/cpus/cpu@0", "reg"), Cells{0});
    EXPECT_EQ(cells("/cpus/cpu@2", "reg"), Cells{2});
    EXPECT_EQ(text("/cpus/cpu@2", "enable-method"), strings({"psci"}));
    EXPECT_EQ(node("/cpus/cpu@3"), -FDT_ERR_NOTFOUND);
    EXPECT_EQ(text("/psci", "method"), strings({"hvc"}));
    EXPECT_EQ(text("/psci", "compatible"), strings({"arm,psci-1.0", "arm,psci-0.2"}));
    EXPECT_EQ(cells("/pmu", "interrupts"), (Cells{1, 7, 4}));
    EXPECT_EQ(cells("/timer", "interrupts"), (Cells{1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4}));
}

TEST_F(DeviceTreeTest, OneRedistributorPerCpuBelowTheDistributor) {
    build(3);
    EXPECT_EQ(cells("/interrupt-controller@3fff0000", "reg"),
              (Cells{0, 0x3fff'0000, 0, 0x1'0000, 0, 0x3fff'0000 - 3 * 0x2'0000, 0, 3 * 0x2'0000}));
    EXPECT_TRUE(has("/interrupt-controller@3fff0000", "interrupt-controller"));
    EXPECT_EQ(cells("/", "interrupt-parent"), cells("/interrupt-controller@3fff0000", "phandle"));
}

TEST_F(DeviceTreeTest, ChosenHasWhatTheKernelBootsWith) {
    build();
    EXPECT_EQ(text("/chosen", "bootargs"), strings({"console=ttyAMA0 quiet"}));
    EXPECT_EQ(text("/chosen", "stdout-path"), strings({"/pl011@9000000"}));
    EXPECT_EQ(cells("/chosen", "linux,initrd-start"), (Cells{0, 0x8400'0000}));
    EXPECT_EQ(cells("/chosen", "linux,initrd-end"), (Cells{0, 0x8412'3456}));
    EXPECT_EQ(cells("/chosen", "kaslr-seed"), (Cells{0x1122'3344, 0x5566'7788}));
    EXPECT_EQ(text("/chosen", "rng-seed").size(), 64U);
}

TEST_F(DeviceTreeTest, NoInitrdNoInitrdProperties) {
    build(1, false);
    EXPECT_FALSE(has("/chosen", "linux,initrd-start"));
    EXPECT_FALSE(has("/chosen", "linux,initrd-end"));
}

TEST_F(DeviceTreeTest, DevicesHaveRegistersAndEdgeInterrupts) {
    build();
    EXPECT_EQ(text("/pl011@9000000", "compatible"), strings({"arm,pl011", "arm,primecell"}));
    EXPECT_EQ(cells("/pl011@9000000", "reg"), (Cells{0, 0x900'0000, 0, 0x1000}));
    EXPECT_EQ(cells("/pl011@9000000", "interrupts"), (Cells{0, 0, 1}));
    EXPECT_EQ(cells("/pl011@9000000", "clocks"),
              (Cells{cells("/clock", "phandle")[0], cells("/clock", "phandle")[0]}));
    EXPECT_EQ(text("/virtio_mmio@a000200", "compatible"), strings({"virtio,mmio"}));
    EXPECT_EQ(cells("/virtio_mmio@a000200", "reg"), (Cells{0, 0xa00'0200, 0, 0x200}));
    EXPECT_EQ(cells("/virtio_mmio@a000200", "interrupts"), (Cells{0, 2, 1}));
}

TEST_F(DeviceTreeTest, TheConfigurationTellsTheResourceManagerTheRest) {
    build();
    EXPECT_EQ(cells("/gunyah-vm-config/memory", "base-address"), (Cells{0, 0x8000'0000}));
    EXPECT_EQ(cells("/gunyah-vm-config/memory", "#address-cells"), Cells{2});
    EXPECT_EQ(cells("/gunyah-vm-config/interrupts", "config"),
              cells("/interrupt-controller@3fff0000", "phandle"));
    EXPECT_EQ(text("/gunyah-vm-config/vcpus", "affinity"), strings({"proxy"}));
    EXPECT_EQ(text("/gunyah-vm-config/vcpus", "features"), strings({"sve", "pmu", "pv-time"}));
    EXPECT_EQ(text("/gunyah-vm-config/vdevices", "generate"), strings({"/hypervisor"}));
}

TEST_F(DeviceTreeTest, EveryDeviceHasADoorbell) {
    build();
    for (const std::uint32_t spi : {0U, 1U, 2U, 7U, 9U}) {
        const std::string name = "bell-" + std::to_string(32 + spi);
        const std::string path = "/gunyah-vm-config/vdevices/" + name;
        EXPECT_EQ(text(path.c_str(), "vdevice-type"), strings({"doorbell"}));
        EXPECT_EQ(text(path.c_str(), "generate"), strings({"/hypervisor/" + name}));
        EXPECT_EQ(cells(path.c_str(), "label"), Cells{32 + spi});
        EXPECT_EQ(cells(path.c_str(), "interrupts"), (Cells{0, spi, 1}));
        EXPECT_TRUE(has(path.c_str(), "peer-default"));
        EXPECT_TRUE(has(path.c_str(), "source-can-clear"));
    }
}

TEST_F(DeviceTreeTest, TooLongACommandLineIsAnErrorNotATruncation) {
    const GuestDescription guest{.cpus = 1,
                                 .ram_base = 0x8000'0000,
                                 .command_line = std::string(5000, 'x'),
                                 .initrd = std::nullopt,
                                 .devices = {},
                                 .kaslr_seed = 0,
                                 .random_seed = {}};
    EXPECT_THROW(build_device_tree(guest, 4096), std::length_error);
}

} // namespace
} // namespace vmm
