// SPDX-License-Identifier: BSD-3-Clause
// RAM lists: order, joins, holes, and finding free room.
#include "platform/memory_map.hpp"
#include "platform/testing/tree_builder.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

using testing::TreeBuilder;
using testing::UsualMachine;

constexpr PhysAddr tree_address{0x4800'0000};

struct Outcome {
    std::expected<void, PlatformError> status;
    Platform platform;
};

Outcome read(TreeBuilder& builder, PhysAddr address = tree_address) {
    const auto blob = builder.end().finish();
    const auto tree = DeviceTree::open(blob.data(), blob.size());
    EXPECT_TRUE(tree);
    Outcome outcome;
    outcome.status = read_memory_map(*tree, address, outcome.platform);
    return outcome;
}

bool occupies(const Platform& platform, PhysRange range) {
    return std::find(platform.occupied.begin(), platform.occupied.end(), range) !=
           platform.occupied.end();
}

TEST(MemoryMap, joins_and_sorts_what_touches) {
    TreeBuilder builder;
    testing::usual_nodes(builder, {.memory = false});
    builder.begin("memory@2").text("device_type", "memory");
    builder.numbers("reg", {0x2'0000'0000, 0x1000'0000, 0x4000'0000, 0x1000'0000}).end();
    builder.begin("memory@1").text("device_type", "memory");
    builder.numbers("reg", {0x5000'0000, 0x1000'0000, 0x5800'0000, 0x800'0000}).end();
    const Outcome outcome = read(builder);
    ASSERT_TRUE(outcome.status);
    ASSERT_EQ(outcome.platform.ram.size(), 2u);
    EXPECT_EQ(outcome.platform.ram[0], (PhysRange{{0x4000'0000}, 0x2000'0000}));
    EXPECT_EQ(outcome.platform.ram[1], (PhysRange{{0x2'0000'0000}, 0x1000'0000}));
}

TEST(MemoryMap, keeps_whole_pages_only) {
    TreeBuilder builder;
    testing::usual_nodes(builder, {.memory = false});
    builder.begin("memory@1").text("device_type", "memory");
    builder.numbers("reg", {0x4000'0800, 0x2000, 0x5000'0000, 0x800}).end();
    const Outcome outcome = read(builder);
    ASSERT_TRUE(outcome.status);
    ASSERT_EQ(outcome.platform.ram.size(), 1u);
    EXPECT_EQ(outcome.platform.ram[0], (PhysRange{{0x4000'1000}, 0x1000}));
}

TEST(MemoryMap, no_map_is_cut_out_and_other_reservations_are_only_avoided) {
    TreeBuilder builder;
    builder.reserve(0x4100'0000, 0x1800);
    testing::usual_nodes(builder);
    builder.begin("reserved-memory").cells("#address-cells", {2}).cells("#size-cells", {2});
    builder.flag("ranges");
    builder.begin("secure@50000000").numbers("reg", {0x5000'0000, 0x10'0000}).flag("no-map").end();
    builder.begin("pool@60000000").numbers("reg", {0x6000'0000, 0x10'0000}).end();
    builder.begin("off@70000000").numbers("reg", {0x7000'0000, 0x10'0000}).flag("no-map");
    builder.text("status", "disabled").end().end();
    const Outcome outcome = read(builder);
    ASSERT_TRUE(outcome.status);
    ASSERT_EQ(outcome.platform.ram.size(), 2u);
    EXPECT_EQ(outcome.platform.ram[0], (PhysRange{{0x4000'0000}, 0x1000'0000}));
    EXPECT_EQ(outcome.platform.ram[1], (PhysRange{{0x5010'0000}, 0x2ff0'0000}));
    EXPECT_TRUE(occupies(outcome.platform, {{0x6000'0000}, 0x10'0000}));
    EXPECT_TRUE(occupies(outcome.platform, {{0x4100'0000}, 0x2000}));
}

TEST(MemoryMap, modules_initrd_and_the_tree_itself_are_avoided) {
    TreeBuilder builder;
    testing::usual_nodes(builder);
    builder.begin("chosen").cells("linux,initrd-start", {0x4e00'0000});
    builder.cells("linux,initrd-end", {0x4e00'0010});
    builder.begin("module@4a000000").texts("compatible", {"multiboot,module", "multiboot,kernel"});
    builder.numbers("reg", {0x4a00'0000, 0x123'4567}).end().end();
    const Outcome outcome = read(builder);
    ASSERT_TRUE(outcome.status);
    EXPECT_TRUE(occupies(outcome.platform, {{0x4a00'0000}, 0x123'5000}));
    EXPECT_TRUE(occupies(outcome.platform, {{0x4e00'0000}, 0x1000}));
    EXPECT_TRUE(occupies(outcome.platform, {tree_address, 0x1000}));
}

TEST(MemoryMap, a_module_under_the_device_tree_is_refused) {
    TreeBuilder builder;
    testing::usual_nodes(builder).begin("chosen");
    builder.begin("module@48000000").text("compatible", "multiboot,module");
    builder.numbers("reg", {0x4800'0000, 0x100'0000}).end().end();
    const Outcome outcome = read(builder);
    ASSERT_FALSE(outcome.status);
    EXPECT_NE(std::string(outcome.status.error()).find("load the module"), std::string::npos);
}

TEST(MemoryMap, no_ram_is_an_error_not_an_empty_list) {
    TreeBuilder builder;
    testing::usual_nodes(builder, {.memory = false});
    EXPECT_FALSE(read(builder).status);
}

TEST(MemoryMap, ram_beyond_the_physical_map_is_left_out) {
    TreeBuilder builder;
    testing::usual_nodes(builder);
    builder.begin("memory@far").text("device_type", "memory");
    builder.numbers("reg", {std::uint64_t{1} << 47, 0x1000'0000}).end();
    const Outcome outcome = read(builder);
    ASSERT_TRUE(outcome.status);
    EXPECT_EQ(outcome.platform.ram.size(), 1u);
}

TEST(MemoryMap, too_many_ranges_are_an_error) {
    TreeBuilder builder;
    testing::usual_nodes(builder, {.memory = false});
    for (std::uint64_t i = 0; i <= Platform::max_ram; ++i) {
        builder.begin("memory@" + std::to_string(i)).text("device_type", "memory");
        builder.numbers("reg", {i << 24, 0x1000}).end();
    }
    EXPECT_FALSE(read(builder).status);
}

TEST(Subtract, every_way_to_overlap) {
    const auto after = [](PhysRange gone) {
        rt::FixedVector<PhysRange, 4> list;
        EXPECT_TRUE(list.push_back({{0x1000}, 0x3000}));
        EXPECT_TRUE(list.push_back({{0x8000}, 0x1000}));
        EXPECT_TRUE(subtract(list, gone));
        return std::vector<PhysRange>(list.begin(), list.end());
    };
    using List = std::vector<PhysRange>;
    const PhysRange last{{0x8000}, 0x1000};
    EXPECT_EQ(after({{0x4000}, 0x4000}), (List{{{0x1000}, 0x3000}, last}));
    EXPECT_EQ(after({{0x0}, 0x2000}), (List{{{0x2000}, 0x2000}, last}));
    EXPECT_EQ(after({{0x3000}, 0x2000}), (List{{{0x1000}, 0x2000}, last}));
    EXPECT_EQ(after({{0x2000}, 0x1000}), (List{{{0x1000}, 0x1000}, {{0x3000}, 0x1000}, last}));
    EXPECT_EQ(after({{0x1000}, 0x3000}), (List{last}));
    EXPECT_EQ(after({{0x0}, 0x10000}), (List{}));
    EXPECT_EQ(after({{0x2000}, 0}), (List{{{0x1000}, 0x3000}, last}));
}

TEST(FindFree, goes_round_what_is_occupied) {
    Platform platform;
    ASSERT_TRUE(platform.ram.push_back({{0x1000'0000}, 0x100'0000}));
    ASSERT_TRUE(platform.ram.push_back({{0x4000'0000}, 0x1000'0000}));
    ASSERT_TRUE(platform.occupied.push_back({{0x4000'0000}, 0x1000}));
    ASSERT_TRUE(platform.occupied.push_back({{0x4040'0000}, 0x1000}));
    constexpr std::uint64_t alignment = 0x20'0000;
    EXPECT_EQ(find_free(platform, 0x20'0000, alignment, {0}), PhysAddr{0x1000'0000});
    EXPECT_EQ(find_free(platform, 0x20'0000, alignment, {0x4000'0000}), PhysAddr{0x4020'0000});
    EXPECT_EQ(find_free(platform, 0x400'0000, alignment, {0}), PhysAddr{0x4060'0000});
    EXPECT_EQ(find_free(platform, 0x1000'0000, alignment, {0}), std::nullopt);
}

} // namespace
} // namespace hyp
