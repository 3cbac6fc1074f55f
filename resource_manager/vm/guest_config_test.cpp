// SPDX-License-Identifier: BSD-3-Clause
// Parsing of gunyah-vm-config, what it refuses, and the tree that the guest gets.
#include "testing/guest_tree_source.hpp"
#include "vm/guest_config.hpp"
#include "vm/guest_tree.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace {

using rm::dt::Editor;
using rm::testing::guest_tree;

constexpr rm::Stage stage{0x80, "VM_INIT"};

rm::RmResult<rm::GuestConfig> parse(Editor& tree) {
    EXPECT_EQ(tree.error(), 0);
    EXPECT_EQ(fdt_check_full(tree.fdt(), fdt_totalsize(tree.fdt())), 0);
    return rm::parse_guest_config(stage, tree.fdt());
}

TEST(GuestConfig, ReadsWhatAVmmWrites) {
    Editor tree = guest_tree();
    const auto config = parse(tree);
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->base_address, 0x80000000U);
    EXPECT_EQ(config->cpu_count, 2U);
    EXPECT_TRUE(config->proxy_scheduled);
    EXPECT_EQ(config->distributor, (rm::Range{0x3fff0000, 0x10000}));
    EXPECT_EQ(config->redistributors, (rm::Range{0x3ffb0000, 0x40000}));
    ASSERT_EQ(config->doorbells.size(), 3U);
    EXPECT_TRUE(config->doorbells[0].source_can_clear);
    for (const auto& bell : config->doorbells) {
        EXPECT_EQ(bell.spi, bell.label + 32);
        EXPECT_EQ(bell.irq_type, 1U);
    }
}

TEST(GuestConfig, DefaultsAreThoseOfTheSampleVmm) {
    Editor tree = guest_tree({.cpus = 1});
    const rm::dt::Node vcpus = tree.at("/gunyah-vm-config/vcpus");
    tree.remove_property(vcpus, "affinity");
    const std::uint32_t map[] = {1};
    tree.set_cells(vcpus, "affinity-map", map);
    tree.set_cell(vcpus, "sched-priority", 0xffffffff);
    tree.set_cell(vcpus, "sched-timeslice", 2000);
    tree.remove_node(tree.at("/gunyah-vm-config/vdevices"));
    const auto config = parse(tree);
    ASSERT_TRUE(config.has_value());
    EXPECT_FALSE(config->proxy_scheduled);
    EXPECT_EQ(config->affinity_count, 1U);
    EXPECT_EQ(config->affinity_map[0], 1U);
    EXPECT_EQ(config->priority_offset, -1);
    EXPECT_EQ(config->timeslice_us, 2000U);
    EXPECT_TRUE(config->doorbells.empty());
}

TEST(GuestConfig, RefusesWhatIsWrong) {
    const std::uint32_t ppi[] = {1, 5, 1};
    const std::uint32_t spi_too_high[] = {0, 988, 1};
    const std::uint32_t spi_taken[] = {0, 1, 1};
    const std::uint32_t short_interrupt[] = {0, 1};
    const std::uint32_t far_redistributors[] = {0, 0x3fff0000, 0, 0x10000,
                                                0, 0x3ffd0000, 0, 0x20000};
    const std::uint32_t overlapping[] = {0, 0x3fff0000, 0, 0x10000, 0, 0x3ffe0000, 0, 0x40000};
    const std::string bell = "/gunyah-vm-config/vdevices/bell-0";
    using rm::RmError;
    struct {
        const char* what;
        RmError error;
        std::function<void(Editor&)> spoil;
    } const cases[] = {
        {"no config", RmError::validate_failed,
         [](Editor& t) { t.remove_node(t.at("/gunyah-vm-config")); }},
        {"no memory", RmError::validate_failed,
         [](Editor& t) { t.remove_node(t.at("/gunyah-vm-config/memory")); }},
        {"unaligned base", RmError::validate_failed,
         [](Editor& t) {
             t.set_u64(t.at("/gunyah-vm-config/memory"), "base-address", 0x80100000);
         }},
        {"base below 1 GiB", RmError::validate_failed,
         [](Editor& t) {
             t.set_u64(t.at("/gunyah-vm-config/memory"), "base-address", 0x20000000);
         }},
        {"base of three cells", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at("/gunyah-vm-config/memory"), "base-address", ppi); }},
        {"firmware of three cells", RmError::validate_failed,
         [&](Editor& t) {
             t.set_cells(t.at("/gunyah-vm-config/memory"), "firmware-address", ppi);
         }},
        {"no interrupts", RmError::validate_failed,
         [](Editor& t) { t.remove_node(t.at("/gunyah-vm-config/interrupts")); }},
        {"dangling phandle", RmError::validate_failed,
         [](Editor& t) { t.set_cell(t.at("/gunyah-vm-config/interrupts"), "config", 77); }},
        {"no GICv3", RmError::validate_failed,
         [](Editor& t) { t.set_text(t.at("/intc"), "compatible", "arm,gic-400"); }},
        {"too few redistributors", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at("/intc"), "reg", far_redistributors); }},
        {"GIC overlaps itself", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at("/intc"), "reg", overlapping); }},
        {"no cpus", RmError::validate_failed, [](Editor& t) { t.remove_node(t.at("/cpus")); }},
        {"cpus not linear", RmError::validate_failed,
         [](Editor& t) { t.set_cell(t.at("/cpus/cpu@1"), "reg", 0x100); }},
        {"unknown feature", RmError::validate_failed,
         [](Editor& t) { t.set_text(t.at("/gunyah-vm-config/vcpus"), "features", "mte"); }},
        {"unknown affinity", RmError::validate_failed,
         [](Editor& t) { t.set_text(t.at("/gunyah-vm-config/vcpus"), "affinity", "floating"); }},
        {"unknown vdevice", RmError::unimplemented,
         [&](Editor& t) { t.set_text(t.at(bell), "vdevice-type", "shm"); }},
        {"no label", RmError::validate_failed,
         [&](Editor& t) { t.remove_property(t.at(bell), "label"); }},
        {"PPI", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at(bell), "interrupts", ppi); }},
        {"SPI too high", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at(bell), "interrupts", spi_too_high); }},
        {"SPI taken", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at(bell), "interrupts", spi_taken); }},
        {"short interrupt", RmError::validate_failed,
         [&](Editor& t) { t.set_cells(t.at(bell), "interrupts", short_interrupt); }},
        {"two watchdogs", RmError::validate_failed,
         [&](Editor& t) {
             t.set_text(t.at(bell), "vdevice-type", "watchdog");
             t.set_text(t.at("/gunyah-vm-config/vdevices/bell-1"), "vdevice-type", "watchdog");
         }},
        {"a bark that is a PPI", RmError::validate_failed,
         [&](Editor& t) {
             t.set_text(t.at(bell), "vdevice-type", "watchdog");
             t.set_cells(t.at(bell), "interrupts", ppi);
         }},
        {"label taken", RmError::validate_failed,
         [&](Editor& t) { t.set_cell(t.at(bell), "label", 2); }},
    };
    for (const auto& each : cases) {
        Editor tree = guest_tree();
        each.spoil(tree);
        const auto config = parse(tree);
        ASSERT_FALSE(config.has_value()) << each.what;
        EXPECT_EQ(config.error(), each.error) << each.what;
    }
}

TEST(GuestConfig, WatchdogMayBark) {
    Editor tree = guest_tree({.bark = 9});
    const auto barking = parse(tree);
    ASSERT_TRUE(barking.has_value());
    EXPECT_TRUE(barking->watchdog);
    EXPECT_EQ(barking->bark_spi, 41U);
    tree.remove_property(tree.at("/gunyah-vm-config/vdevices/watchdog"), "interrupts");
    const auto silent = parse(tree);
    ASSERT_TRUE(silent.has_value());
    EXPECT_TRUE(silent->watchdog);
    EXPECT_EQ(silent->bark_spi, 0U);
    Editor plain = guest_tree();
    EXPECT_FALSE(parse(plain)->watchdog);
}

TEST(GuestConfig, DisabledCpusAreLeftOut) {
    Editor tree = guest_tree();
    tree.set_text(tree.at("/cpus/cpu@1"), "status", "disabled");
    const auto config = parse(tree);
    ASSERT_TRUE(config.has_value());
    EXPECT_EQ(config->cpu_count, 1U);
}

TEST(GuestConfig, SurvivesDamagedTrees) {
    Editor source = guest_tree();
    const auto packed = source.packed();
    std::mt19937 random(11);
    std::size_t accepted = 0;
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::byte> tree(packed.begin(), packed.end());
        for (unsigned i = 0; i <= random() % 4; ++i) {
            tree[random() % tree.size()] = static_cast<std::byte>(random());
        }
        if (rt::FlatTree::is_well_formed(tree.data(), tree.size())) {
            accepted += rm::parse_guest_config(stage, tree.data()).has_value() ? 1 : 0;
        }
    }
    EXPECT_GT(accepted, 0U);
}

TEST(GuestTree, HasWhatTheGuestNeeds) {
    Editor source = guest_tree({.bells = 2});
    source.set_text(source.at("/memory@0"), "device_type", "memory");
    source.set_text(source.at("/hypervisor"), "compatible", "something,else");
    const auto config = parse(source);
    ASSERT_TRUE(config.has_value());
    const rm::GuestBell bells[] = {{config->doorbells[0], 0xabc000}, {config->doorbells[1], 0x17}};
    Editor tree(source.fdt(), 4096);
    ASSERT_TRUE(rm::patch_guest_tree(tree, *config,
                                     {.vmid = 0x81,
                                      .owner_vmid = 3,
                                      .ram = {0x80000000, 0x10000000},
                                      .bells = bells,
                                      .kaslr_seed = 0x1234567890abcdef}));
    const auto packed = tree.packed();
    ASSERT_FALSE(packed.empty());
    const void* fdt = packed.data();
    ASSERT_EQ(fdt_check_full(fdt, packed.size()), 0);
    EXPECT_LT(fdt_path_offset(fdt, "/memory@0"), 0);
    EXPECT_EQ(rm::dt::reg(fdt, fdt_path_offset(fdt, "/memory@80000000"), 0),
              (rm::Range{0x80000000, 0x10000000}));
    const int hypervisor = fdt_path_offset(fdt, "/hypervisor");
    EXPECT_TRUE(rm::dt::is_compatible(fdt, hypervisor, "gunyah-hypervisor"));
    EXPECT_TRUE(rm::dt::is_compatible(fdt, hypervisor, "simple-bus"));
    EXPECT_FALSE(rm::dt::is_compatible(fdt, hypervisor, "something,else"));
    const int identity = fdt_path_offset(fdt, "/hypervisor/qcom,gunyah-vm");
    EXPECT_EQ(rm::dt::cell(fdt, identity, "qcom,vmid"), 0x81U);
    EXPECT_EQ(rm::dt::cell(fdt, identity, "qcom,owner-vmid"), 3U);
    for (const auto& bell : bells) {
        char path[64];
        std::snprintf(path, sizeof(path), "/hypervisor/bell-%u@%llx", bell.config.label,
                      static_cast<unsigned long long>(bell.receive_cap));
        const int node = fdt_path_offset(fdt, path);
        ASSERT_GE(node, 0) << path;
        EXPECT_EQ(rm::dt::number(*rm::dt::property(fdt, node, "reg"), 0, 2), bell.receive_cap);
        EXPECT_EQ(rm::dt::number(*rm::dt::property(fdt, node, "interrupts"), 1, 1),
                  bell.config.spi - 32);
    }
    const auto seed = rm::dt::property(fdt, fdt_path_offset(fdt, "/chosen"), "kaslr-seed");
    ASSERT_TRUE(seed.has_value());
    EXPECT_EQ(rm::dt::number(*seed, 0, 2), 0x1234567890abcdefU);
}

TEST(GuestTree, RefusesRootCellsThatAreTooNarrow) {
    Editor tree = guest_tree({.base = 0x1'0000'0000});
    const auto config = parse(tree);
    ASSERT_TRUE(config.has_value());
    tree.set_cell(0, "#address-cells", 1);
    EXPECT_FALSE(rm::patch_guest_tree(tree, *config,
                                      {.vmid = 0x80,
                                       .owner_vmid = 3,
                                       .ram = {0x1'0000'0000, 0x1000},
                                       .bells = {},
                                       .kaslr_seed = {}}));
}

} // namespace
