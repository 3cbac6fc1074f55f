// SPDX-License-Identifier: BSD-3-Clause
// Cells, addresses through buses, and damaged trees.
#include "platform/device_tree.hpp"
#include "platform/testing/tree_builder.hpp"

#include <gtest/gtest.h>

#include <random>

namespace hyp {
namespace {

using testing::TreeBuilder;

std::optional<DeviceTree> opened(const std::vector<std::uint8_t>& blob) {
    return DeviceTree::open(blob.data(), blob.size());
}

TEST(DeviceTree, reg_with_one_and_two_cells) {
    TreeBuilder builder;
    builder.begin("").cells("#address-cells", {1}).cells("#size-cells", {1});
    builder.begin("a@1").cells("reg", {0x1000, 0x10, 0x2000, 0x20}).end();
    builder.begin("wide").cells("#address-cells", {2}).cells("#size-cells", {2}).flag("ranges");
    builder.begin("b@1").numbers("reg", {0x1'0000'0000, 0x30}).end().end().end();
    const auto blob = builder.finish();
    const auto tree = opened(blob);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->reg(tree->find("/a@1")), (PhysRange{{0x1000}, 0x10}));
    EXPECT_EQ(tree->reg(tree->find("/a@1"), 1), (PhysRange{{0x2000}, 0x20}));
    EXPECT_EQ(tree->reg(tree->find("/a@1"), 2), std::nullopt);
    EXPECT_EQ(tree->reg(tree->find("/wide/b@1")), (PhysRange{{0x1'0000'0000}, 0x30}));
}

TEST(DeviceTree, reg_is_translated_through_every_bus) {
    TreeBuilder builder;
    builder.begin("").cells("#address-cells", {2}).cells("#size-cells", {2});
    // soc: child 0x7e000000 -> parent 0x1'3f000000, 16 MiB.
    builder.begin("soc").cells("#address-cells", {1}).cells("#size-cells", {1});
    builder.cells("ranges", {0x7e00'0000, 0x1, 0x3f00'0000, 0x100'0000});
    builder.begin("bus").cells("#address-cells", {1}).cells("#size-cells", {1});
    builder.cells("ranges", {0x0, 0x7e10'0000, 0x1000});
    builder.begin("uart").cells("reg", {0x40, 0x10}).end();
    builder.begin("outside").cells("reg", {0xff8, 0x10}).end();
    builder.end();
    builder.begin("island").cells("#address-cells", {1}).cells("#size-cells", {1});
    builder.begin("unreachable").cells("reg", {0x40, 0x10}).end().end();
    builder.end().end();
    const auto blob = builder.finish();
    const auto tree = opened(blob);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->reg(tree->find("/soc/bus/uart")), (PhysRange{{0x1'3f10'0040}, 0x10}));
    EXPECT_EQ(tree->reg(tree->find("/soc/bus/outside")), std::nullopt);
    EXPECT_EQ(tree->reg(tree->find("/soc/island/unreachable")), std::nullopt);
}

TEST(DeviceTree, odd_cell_counts_and_wrapping_ranges_give_nothing) {
    TreeBuilder builder;
    builder.begin("").cells("#address-cells", {3}).cells("#size-cells", {2});
    builder.begin("three").cells("reg", {1, 2, 3, 4, 5}).end();
    builder.begin("two").cells("#address-cells", {2}).cells("#size-cells", {2});
    builder.begin("wraps").numbers("reg", {~std::uint64_t{0xfff}, 0x2000}).end().end().end();
    const auto blob = builder.finish();
    const auto tree = opened(blob);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->reg(tree->find("/three")), std::nullopt);
    EXPECT_EQ(tree->reg(tree->find("/two/wraps")), std::nullopt);
}

TEST(DeviceTree, text_needs_its_terminator) {
    TreeBuilder builder;
    builder.begin("").text("good", "okay").cells("bad", {0x61626364}).end();
    const auto blob = builder.finish();
    const auto tree = opened(blob);
    ASSERT_TRUE(tree);
    EXPECT_EQ(tree->text(tree->root, "good"), "okay");
    EXPECT_EQ(tree->text(tree->root, "bad"), "");
    EXPECT_EQ(tree->text(tree->root, "absent"), "");
}

TEST(DeviceTree, a_truncated_tree_does_not_open) {
    TreeBuilder builder;
    testing::usual_nodes(builder).end();
    const auto blob = builder.finish();
    for (std::size_t size = 0; size < blob.size(); ++size) {
        const std::vector<std::uint8_t> part(blob.begin(), blob.begin() + static_cast<long>(size));
        EXPECT_FALSE(DeviceTree::open(part.data(), part.size()));
    }
}

} // namespace
} // namespace hyp
