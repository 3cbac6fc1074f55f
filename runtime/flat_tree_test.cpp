// SPDX-License-Identifier: BSD-3-Clause
// FlatTree against libfdt on a tree with everything, and on damaged ones.
#include <runtime/flat_tree.hpp>

#include <libfdt.h>

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

using Blob = std::vector<std::byte>;
using rt::FlatTree;

void property(void* fdt, const char* name, const std::string& value) {
    ASSERT_EQ(fdt_property(fdt, name, value.data(), static_cast<int>(value.size())), 0);
}

/// Two levels of nodes, aliases, empty and odd-sized properties, two reservations, removed things.
Blob make_tree() {
    Blob blob(4096);
    void* fdt = blob.data();
    EXPECT_EQ(fdt_create(fdt, static_cast<int>(blob.size())), 0);
    EXPECT_EQ(fdt_add_reservemap_entry(fdt, 0x1000, 0x20), 0);
    EXPECT_EQ(fdt_add_reservemap_entry(fdt, 0x1'0000'0000, 1), 0);
    EXPECT_EQ(fdt_finish_reservemap(fdt), 0);
    EXPECT_EQ(fdt_begin_node(fdt, ""), 0);
    property(fdt, "compatible", std::string("board,a\0board", 14));
    property(fdt, "empty", "");
    EXPECT_EQ(fdt_begin_node(fdt, "aliases"), 0);
    property(fdt, "serial0", std::string("/bus/uart@9000", 15));
    EXPECT_EQ(fdt_end_node(fdt), 0);
    EXPECT_EQ(fdt_begin_node(fdt, "bus"), 0);
    for (const char* name : {"uart@9000", "uart@a000", "clock"}) {
        EXPECT_EQ(fdt_begin_node(fdt, name), 0);
        property(fdt, "compatible", std::string("arm,pl011\0arm,primecell", 24));
        property(fdt, "odd", "abcde");
        EXPECT_EQ(fdt_begin_node(fdt, "inner"), 0);
        EXPECT_EQ(fdt_end_node(fdt), 0);
        EXPECT_EQ(fdt_end_node(fdt), 0);
    }
    EXPECT_EQ(fdt_end_node(fdt), 0);
    EXPECT_EQ(fdt_begin_node(fdt, "last"), 0);
    EXPECT_EQ(fdt_end_node(fdt), 0);
    EXPECT_EQ(fdt_end_node(fdt), 0);
    EXPECT_EQ(fdt_finish(fdt), 0);
    EXPECT_EQ(fdt_nop_property(fdt, fdt_path_offset(fdt, "/bus/uart@a000"), "odd"), 0);
    EXPECT_EQ(fdt_nop_node(fdt, fdt_path_offset(fdt, "/bus/uart@9000/inner")), 0);
    blob.resize(fdt_totalsize(fdt));
    return blob;
}

FlatTree::Node or_none(int offset) {
    return offset < 0 ? FlatTree::none : offset;
}

TEST(FlatTree, SeesWhatLibfdtSees) {
    const Blob blob = make_tree();
    const void* fdt = blob.data();
    ASSERT_TRUE(FlatTree::is_well_formed(fdt, blob.size()));
    EXPECT_EQ(FlatTree::total_size(fdt), blob.size());
    const FlatTree tree(fdt);
    int nodes = 0;
    for (int node = fdt_next_node(fdt, -1, nullptr); node >= 0; ++nodes) {
        EXPECT_STREQ(std::string(tree.name(node)).c_str(), fdt_get_name(fdt, node, nullptr));
        EXPECT_EQ(tree.first_child(node), or_none(fdt_first_subnode(fdt, node)));
        EXPECT_EQ(tree.parent(node), or_none(fdt_parent_offset(fdt, node)));
        if (node != 0) {
            EXPECT_EQ(tree.next_sibling(node), or_none(fdt_next_subnode(fdt, node)));
        }
        for (const char* name : {"compatible", "odd", "empty", "od", "odder", "serial0"}) {
            int size = 0;
            const void* data = fdt_getprop(fdt, node, name, &size);
            const auto found = tree.property(node, name);
            ASSERT_EQ(found.has_value(), data != nullptr) << name;
            if (found) {
                EXPECT_EQ(static_cast<const void*>(found->data()), data);
                EXPECT_EQ(found->size(), static_cast<std::size_t>(size));
            }
        }
        for (const char* name : {"board,a", "board", "arm,primecell", "arm,pl01", "arm"}) {
            EXPECT_EQ(tree.compatible(node, name), fdt_node_check_compatible(fdt, node, name) == 0);
            EXPECT_EQ(tree.next_compatible(node, name),
                      or_none(fdt_node_offset_by_compatible(fdt, node, name)));
        }
        const int next = fdt_next_node(fdt, node, nullptr);
        EXPECT_EQ(tree.next(node), or_none(next));
        node = next;
    }
    EXPECT_EQ(nodes, 9);
}

TEST(FlatTree, FindsPaths) {
    const Blob blob = make_tree();
    const void* fdt = blob.data();
    const FlatTree tree(fdt);
    for (const char* path :
         {"/", "/bus", "/bus/uart@a000", "/bus/uart", "/bus/clock/inner", "serial0",
          "/bus/uart@b000", "/bu", "/bus/uart@a000/odd", "serial1", "bus"}) {
        EXPECT_EQ(tree.find(path), or_none(fdt_path_offset(fdt, path))) << path;
    }
    EXPECT_EQ(tree.find(""), FlatTree::none);
    EXPECT_EQ(tree.first_child(FlatTree::none), FlatTree::none);
    EXPECT_EQ(tree.next_sibling(FlatTree::none), FlatTree::none);
    EXPECT_FALSE(tree.property(FlatTree::none, "odd").has_value());
}

TEST(FlatTree, ReadsReservations) {
    const Blob blob = make_tree();
    const FlatTree tree(blob.data());
    EXPECT_EQ(tree.reservation(0)->base, 0x1000U);
    EXPECT_EQ(tree.reservation(1)->base, 0x1'0000'0000U);
    EXPECT_EQ(tree.reservation(1)->size, 1U);
    EXPECT_FALSE(tree.reservation(2).has_value());
}

TEST(FlatTree, RefusesEveryShortenedBlob) {
    const Blob whole = make_tree();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const Blob blob(whole.begin(), whole.begin() + static_cast<long>(size));
        EXPECT_FALSE(FlatTree::is_well_formed(blob.data(), blob.size()));
    }
}

/// Visits everything; the sanitizer sees whether that leads out of the blob.
std::size_t visit_all(const FlatTree& tree) {
    std::size_t sum = 0;
    for (FlatTree::Node node = tree.next(FlatTree::none); node >= 0; node = tree.next(node)) {
        sum += tree.name(node).size() + tree.compatible(node, "arm,primecell");
        const auto value = tree.property(node, "odd");
        sum += value && !value->empty() ? std::to_integer<std::size_t>(value->back()) : 0;
        sum += static_cast<std::size_t>(tree.next_sibling(node) + tree.first_child(node) + 2);
        sum += static_cast<std::size_t>(tree.parent(node) + 1);
    }
    for (std::size_t i = 0; tree.reservation(i); ++i) {
        ++sum;
    }
    return sum + static_cast<std::size_t>(tree.find("serial0") + 1);
}

TEST(FlatTree, NoWalkLeavesADamagedBlob) {
    const Blob whole = make_tree();
    std::mt19937 random(3);
    std::size_t accepted = 0;
    std::size_t sum = 0;
    for (int round = 0; round < 100'000; ++round) {
        Blob blob = whole;
        for (unsigned i = 0; i <= random() % 3; ++i) {
            blob[random() % blob.size()] = static_cast<std::byte>(random() % 12);
        }
        if (FlatTree::is_well_formed(blob.data(), blob.size())) {
            ++accepted;
            sum += visit_all(FlatTree(blob.data()));
        }
    }
    EXPECT_GT(accepted, 1000U);
    EXPECT_GT(sum, accepted);
}

} // namespace
