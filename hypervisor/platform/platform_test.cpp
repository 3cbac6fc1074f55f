// SPDX-License-Identifier: BSD-3-Clause
// The whole description of a machine, each thing that may be missing, and hostile trees.
#include "platform/platform.hpp"
#include "platform/testing/tree_builder.hpp"

#include <gtest/gtest.h>

#include <random>

namespace hyp {
namespace {

using testing::TreeBuilder;
using testing::UsualMachine;

constexpr PhysAddr tree_address{0x4800'0000};
constexpr std::uint64_t mpidr_res1 = 0x8000'0000;

struct Outcome {
    std::expected<void, PlatformError> status;
    Platform platform;
};

Outcome read(const std::vector<std::uint8_t>& blob, std::uint64_t mpidr = mpidr_res1) {
    Outcome outcome;
    outcome.status = read_platform(blob.data(), blob.size(), tree_address, mpidr, outcome.platform);
    return outcome;
}

std::vector<std::uint8_t> usual_tree(const UsualMachine& machine = {}) {
    TreeBuilder builder;
    return testing::usual_nodes(builder, machine).end().finish();
}

std::string error_of(const UsualMachine& machine) {
    const Outcome outcome = read(usual_tree(machine));
    return outcome.status ? "no error" : outcome.status.error();
}

TEST(Platform, reads_a_usual_machine) {
    const Outcome outcome = read(usual_tree());
    ASSERT_TRUE(outcome.status) << outcome.status.error();
    const Platform& platform = outcome.platform;
    EXPECT_TRUE(platform.psci);
    ASSERT_EQ(platform.cpus.size(), 2u);
    EXPECT_EQ(platform.cpus[0], 0u);
    EXPECT_EQ(platform.cpus[1], 1u);
    EXPECT_EQ(platform.gic.distributor, (PhysRange{{0x800'0000}, 0x1'0000}));
    ASSERT_EQ(platform.gic.redistributors.size(), 1u);
    EXPECT_EQ(platform.gic.redistributors[0], (PhysRange{{0x80a'0000}, 0xf6'0000}));
    ASSERT_EQ(platform.gic.its.size(), 1u);
    EXPECT_EQ(platform.gic.its[0], (PhysRange{{0x808'0000}, 0x2'0000}));
    EXPECT_EQ(platform.gic.maintenance, 25u);
    EXPECT_EQ(platform.timers.physical, 30u);
    EXPECT_EQ(platform.timers.virtual_timer, 27u);
    EXPECT_EQ(platform.timers.hypervisor, 26u);
}

TEST(Platform, the_boot_cpu_comes_first_whatever_its_place_in_the_tree) {
    const Outcome outcome = read(usual_tree({.cpus = 3}), mpidr_res1 | 2);
    ASSERT_TRUE(outcome.status);
    ASSERT_EQ(outcome.platform.cpus.size(), 3u);
    EXPECT_EQ(outcome.platform.cpus[0], 2u);
    EXPECT_EQ(outcome.platform.cpus[1], 0u);
}

TEST(Platform, without_smc_psci_only_the_boot_cpu_is_used) {
    for (const UsualMachine& machine :
         {UsualMachine{.psci = false}, UsualMachine{.psci_method = "hvc"}}) {
        const Outcome outcome = read(usual_tree(machine));
        ASSERT_TRUE(outcome.status);
        EXPECT_EQ(outcome.platform.cpus.size(), 1u);
        EXPECT_EQ(outcome.platform.cpus_ignored, 1u);
    }
}

TEST(Platform, more_cpus_than_supported_are_counted_and_left_out) {
    const Outcome outcome = read(usual_tree({.cpus = max_cpus + 3}));
    ASSERT_TRUE(outcome.status);
    EXPECT_EQ(outcome.platform.cpus.size(), max_cpus);
    EXPECT_EQ(outcome.platform.cpus_ignored, 3u);
}

TEST(Platform, says_what_is_missing) {
    EXPECT_NE(error_of({.memory = false}).find("RAM"), std::string::npos);
    EXPECT_NE(error_of({.gic = false}).find("GICv3"), std::string::npos);
    EXPECT_NE(error_of({.timer = false}).find("timer"), std::string::npos);
    EXPECT_NE(error_of({.cpus = 0}).find("cpu node"), std::string::npos);
    const std::vector<std::uint8_t> garbage(64, 0xd0);
    EXPECT_FALSE(read(garbage).status);
}

TEST(Uart, stdout_path_by_alias_with_options) {
    TreeBuilder builder;
    testing::usual_nodes(builder);
    builder.begin("aliases").text("serial0", "/uart@a000000").end();
    builder.begin("chosen").text("stdout-path", "serial0:115200n8").end();
    builder.begin("pl011@9000000").texts("compatible", {"arm,pl011", "arm,primecell"});
    builder.numbers("reg", {0x900'0000, 0x1000}).end();
    builder.begin("uart@a000000").text("compatible", "snps,dw-apb-uart").cells("reg-shift", {2});
    builder.cells("reg-io-width", {4}).numbers("reg", {0xa00'0000, 0x100}).end();
    const auto blob = builder.end().finish();
    const auto uart = find_uart(blob.data(), blob.size());
    ASSERT_TRUE(uart);
    EXPECT_EQ(uart->kind, UartInfo::Kind::ns16550);
    EXPECT_EQ(uart->registers.base, PhysAddr{0xa00'0000});
    EXPECT_EQ(uart->register_shift, 2u);
    EXPECT_EQ(uart->register_width, 4u);
}

TEST(Uart, the_first_known_one_without_stdout_path_and_none_without_uart) {
    TreeBuilder builder;
    testing::usual_nodes(builder);
    builder.begin("serial@9000000").texts("compatible", {"arm,sbsa-uart"});
    builder.numbers("reg", {0x900'0000, 0x1000}).end();
    const auto blob = builder.end().finish();
    const auto uart = find_uart(blob.data(), blob.size());
    ASSERT_TRUE(uart);
    EXPECT_EQ(uart->kind, UartInfo::Kind::sbsa);
    const auto none = usual_tree();
    EXPECT_FALSE(find_uart(none.data(), none.size()));
}

TEST(DeviceTreeSize, believes_only_plausible_headers) {
    auto blob = usual_tree();
    EXPECT_EQ(device_tree_size(blob.data()), blob.size());
    fdt_set_totalsize(blob.data(), (2u << 20) + 1);
    EXPECT_EQ(device_tree_size(blob.data()), 0u);
    const std::vector<std::uint8_t> garbage(64, 0xff);
    EXPECT_EQ(device_tree_size(garbage.data()), 0u);
}

/// Whatever bytes come: no crash, no read beyond the blob (sanitizers watch).
TEST(Platform, survives_random_damage) {
    const auto good = usual_tree();
    std::mt19937 random(1);
    std::uniform_int_distribution<std::size_t> place(0, good.size() - 1);
    unsigned refused = 0;
    for (int round = 0; round < 20000; ++round) {
        auto blob = good;
        for (int i = 0; i <= round % 4; ++i) {
            blob[place(random)] = static_cast<std::uint8_t>(random());
        }
        refused += read(blob).status ? 0 : 1;
        (void)find_uart(blob.data(), blob.size());
    }
    EXPECT_GT(refused, 0u);
}

} // namespace
} // namespace hyp
