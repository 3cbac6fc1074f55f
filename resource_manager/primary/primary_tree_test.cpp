// SPDX-License-Identifier: BSD-3-Clause
// What RM finds in QEMU virt's device tree, and what the primary VM sees of it.
#include "device_tree/device_ranges.hpp"
#include "primary/boot_modules.hpp"
#include "primary/kernel_image.hpp"
#include "primary/primary_tree.hpp"
#include "testing/board_tree.hpp"

#include <libfdt.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace {

using rm::Range;
namespace dt = rm::dt;

const std::vector<std::byte>& board() {
    static const std::vector<std::byte> tree = rm::testing::board_tree(4, "max");
    return tree;
}

TEST(BoardTree, NamesEveryDeviceRange) {
    rm::RangeSet ranges;
    ASSERT_TRUE(dt::collect_device_ranges(board().data(), ranges));
    const Range expected[] = {
        {0x0, 0x8000000},             // flash
        {0x9000000, 0x1000},          // UART
        {0x9010000, 0x1000},          // RTC
        {0x9020000, 0x1000},          // fw-cfg
        {0x9030000, 0x1000},          // GPIO
        {0xa000000, 0x4000},          // 32 virtio-mmio of 0x200
        {0x10000000, 0x2eff0000},     // PCI memory
        {0x3eff0000, 0x10000},        // PCI I/O
        {0x4010000000, 0x10000000},   // ECAM
        {0x8000000000, 0x8000000000}, // PCI memory, 64-bit
    };
    for (const Range& range : expected) {
        const auto holds = [&](const Range& found) { return found.contains(range); };
        EXPECT_TRUE(std::any_of(ranges.ranges().begin(), ranges.ranges().end(), holds))
            << std::hex << range.base;
    }
    EXPECT_FALSE(ranges.overlaps({0x8000000, 0x1000000})) << "the GIC is the hypervisor's";
    EXPECT_FALSE(ranges.overlaps({0x40000000, 0x80000000})) << "RAM is no device";
    EXPECT_EQ(ranges.ranges().size(), 9U) << "neighbours are merged";
}

TEST(BoardTree, FirmwareMemoryIsNoDevice) {
    dt::Editor tree(board().data(), 4096);
    const dt::Node parent = tree.at("/reserved-memory");
    const std::array two{2U};
    tree.set_cells(parent, "#address-cells", two);
    tree.set_cells(parent, "#size-cells", two);
    tree.set_bytes(parent, "ranges", {});
    const dt::Node node = tree.at("/reserved-memory/mailbox@9010800");
    tree.set_cells(node, "reg", std::array{0U, 0x9010800U, 0U, 0x10U});
    tree.set_bytes(node, "no-map", {});
    ASSERT_EQ(tree.error(), 0);
    rm::RangeSet ranges;
    ASSERT_TRUE(dt::collect_device_ranges(tree.packed().data(), ranges));
    EXPECT_FALSE(ranges.overlaps({0x9010000, 0x1000})) << "the page of the mailbox";
    EXPECT_TRUE(ranges.overlaps({0x9000000, 0x1000})) << "the page before it";
    EXPECT_TRUE(ranges.overlaps({0x9020000, 0x1000})) << "the page behind it";
}

TEST(BoardTree, AnInitrdOfTheBootLoaderIsTheInitrd) {
    dt::Editor tree(board().data(), 4096);
    tree.remove_nodes([](const void* fdt, dt::Node node) {
        return dt::is_compatible(fdt, node, "multiboot,ramdisk");
    });
    const dt::Node chosen = tree.at("/chosen");
    tree.set_u64(chosen, "linux,initrd-start", 0x4d000000);
    tree.set_u64(chosen, "linux,initrd-end", 0x4d000123);
    EXPECT_EQ(rm::find_boot_modules(tree.fdt()).initrd, (Range{0x4d000000, 0x123}));
    tree.set_u64(chosen, "linux,initrd-end", 0x4d000000);
    EXPECT_FALSE(rm::find_boot_modules(tree.fdt()).initrd.has_value()) << "an empty one is none";
}

TEST(BoardTree, NamesItsModules) {
    const rm::BootModules modules = rm::find_boot_modules(board().data());
    EXPECT_EQ(modules.kernel, (Range{0x48000000, 4096}));
    EXPECT_EQ(modules.initrd, (Range{0x4c000000, 4096}));
    EXPECT_EQ(modules.bootargs, "console=ttyAMA0");
}

TEST(BoardTree, GicHasRoomForCpus) {
    const auto gic = dt::find_gic(board().data(), 123);
    ASSERT_TRUE(gic.has_value());
    EXPECT_EQ(gic->distributor, (Range{0x8000000, 0x10000}));
    EXPECT_EQ(gic->redistributors, (Range{0x80a0000, 0xf60000}));
    EXPECT_FALSE(dt::find_gic(board().data(), 124).has_value());
}

std::vector<std::byte> patched(unsigned cpus) {
    const Range ram[] = {{0x40000000, 0x40000000}, {0x84000000, 0x3c000000}};
    const std::uint64_t mpidr[] = {0, 1, 2, 3};
    dt::Editor tree(board().data(), 65536);
    const char* wrong = rm::patch_primary_tree(tree, {.ram = ram,
                                                      .cpu_mpidr = std::span(mpidr).first(cpus),
                                                      .bootargs = "console=ttyAMA0 quiet",
                                                      .initrd = Range{0x4c000000, 12345},
                                                      .rpc_send_cap = 0x1'0000'0007,
                                                      .rpc_receive_cap = 0x22,
                                                      .rpc_send_irq = 288,
                                                      .rpc_receive_irq = 289});
    EXPECT_EQ(wrong, nullptr);
    EXPECT_EQ(tree.error(), 0);
    const auto packed = tree.packed();
    EXPECT_EQ(fdt_check_full(packed.data(), packed.size()), 0);
    return {packed.begin(), packed.end()};
}

TEST(PrimaryTree, HasTheResourceManager) {
    const auto tree = patched(4);
    const void* fdt = tree.data();
    const int hypervisor = fdt_path_offset(fdt, "/hypervisor");
    ASSERT_GE(hypervisor, 0);
    for (const char* compatible : {"gunyah-hypervisor", "qcom,gunyah-hypervisor-1.0",
                                   "qcom,gunyah-hypervisor", "simple-bus"}) {
        EXPECT_TRUE(dt::is_compatible(fdt, hypervisor, compatible)) << compatible;
    }
    EXPECT_EQ(dt::cell(fdt, hypervisor, "#address-cells"), 2U);
    EXPECT_EQ(dt::cell(fdt, hypervisor, "#size-cells"), 0U);
    const int node = fdt_node_offset_by_compatible(fdt, -1, "gunyah-resource-manager");
    ASSERT_EQ(fdt_parent_offset(fdt, node), hypervisor);
    const auto reg = *dt::property(fdt, node, "reg");
    ASSERT_EQ(reg.size(), 16U);
    EXPECT_EQ(dt::number(reg, 0, 2), 0x1'0000'0007U);
    EXPECT_EQ(dt::number(reg, 2, 2), 0x22U);
    const auto interrupts = *dt::property(fdt, node, "interrupts");
    ASSERT_EQ(interrupts.size(), 24U);
    EXPECT_EQ(dt::number(interrupts, 1, 1), 256U);
    EXPECT_EQ(dt::number(interrupts, 2, 1), 1U);
    EXPECT_EQ(dt::number(interrupts, 4, 1), 257U);
    const int identity = fdt_path_offset(fdt, "/hypervisor/qcom,gunyah-vm");
    EXPECT_EQ(dt::cell(fdt, identity, "qcom,vmid"), 3U);
    const auto gic = dt::find_gic(fdt, 4);
    ASSERT_TRUE(gic.has_value());
    EXPECT_EQ(dt::cell(fdt, hypervisor, "interrupt-parent"), gic->phandle);
    EXPECT_EQ(gic->redistributors, (Range{0x80a0000, 4 * 0x20000}));
}

TEST(PrimaryTree, HasItsMemoryAndBootArguments) {
    const auto tree = patched(4);
    const void* fdt = tree.data();
    const int memory = fdt_path_offset(fdt, "/memory@40000000");
    EXPECT_EQ(dt::reg(fdt, memory, 0), (Range{0x40000000, 0x40000000}));
    EXPECT_EQ(dt::reg(fdt, memory, 1), (Range{0x84000000, 0x3c000000}));
    EXPECT_FALSE(dt::reg(fdt, memory, 2).has_value());
    const int chosen = fdt_path_offset(fdt, "/chosen");
    EXPECT_EQ(dt::text(fdt, chosen, "bootargs"), "console=ttyAMA0 quiet");
    EXPECT_EQ(dt::number(*dt::property(fdt, chosen, "linux,initrd-start"), 0, 2), 0x4c000000U);
    EXPECT_EQ(dt::number(*dt::property(fdt, chosen, "linux,initrd-end"), 0, 2),
              0x4c000000U + 12345U);
    EXPECT_TRUE(dt::property(fdt, chosen, "kaslr-seed").has_value());
    EXPECT_TRUE(dt::property(fdt, chosen, "rng-seed").has_value());
    EXPECT_EQ(dt::text(fdt, fdt_path_offset(fdt, "/psci"), "method"), "hvc");
}

TEST(PrimaryTree, HasNothingOfWhatIsKept) {
    const auto tree = patched(4);
    const void* fdt = tree.data();
    EXPECT_LT(fdt_node_offset_by_compatible(fdt, -1, "multiboot,module"), 0);
    EXPECT_LT(fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3-its"), 0);
    EXPECT_GE(fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-pmuv3"), 0);
    for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, nullptr)) {
        EXPECT_FALSE(dt::property(fdt, node, "msi-map").has_value());
        EXPECT_FALSE(dt::property(fdt, node, "msi-parent").has_value());
    }
}

TEST(PrimaryTree, HasOnlyItsCpus) {
    const auto tree = patched(2);
    const void* fdt = tree.data();
    EXPECT_GE(fdt_path_offset(fdt, "/cpus/cpu@1"), 0);
    EXPECT_LT(fdt_path_offset(fdt, "/cpus/cpu@2"), 0);
    EXPECT_LT(fdt_path_offset(fdt, "/cpus/cpu-map"), 0);
    EXPECT_GE(fdt_path_offset(patched(4).data(), "/cpus/cpu-map"), 0);
}

TEST(KernelImage, ReadsAndRefusesHeaders) {
    std::array<std::byte, 64> header{};
    EXPECT_FALSE(rm::KernelImage::parse(header).has_value());
    const std::uint32_t magic = 0x644d5241;
    const std::uint64_t size = 0x2000000;
    std::memcpy(&header[56], &magic, 4);
    EXPECT_FALSE(rm::KernelImage::parse(header).has_value()) << "no image_size";
    std::memcpy(&header[16], &size, 8);
    const auto image = rm::KernelImage::parse(header);
    ASSERT_TRUE(image.has_value());
    EXPECT_EQ(image->image_size, size);
    EXPECT_EQ(image->text_offset, 0U);
    EXPECT_FALSE(rm::KernelImage::parse(std::span(header).first(63)).has_value());
    header[24] = std::byte{1};
    EXPECT_FALSE(rm::KernelImage::parse(header).has_value()) << "big endian";
    header[0] = std::byte{0x1f};
    header[1] = std::byte{0x8b};
    const auto compressed = rm::KernelImage::parse(header);
    ASSERT_FALSE(compressed.has_value());
    EXPECT_NE(std::string_view(compressed.error()).find("gzip"), std::string_view::npos);
}

} // namespace
