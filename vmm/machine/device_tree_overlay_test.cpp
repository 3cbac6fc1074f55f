// SPDX-License-Identifier: BSD-3-Clause
// Tests of DeviceTreeOverlay: trees and overlays written here, read back with libfdt.
#include "machine/device_tree_overlay.hpp"

#include <gtest/gtest.h>
#include <libfdt.h>

#include "disk/temporary_file.hpp"
#include "libgunyah/error.hpp"
#include "machine/fdt_writer.hpp"

namespace vmm {
namespace {

using Node = FdtWriter::Node;
constexpr std::size_t capacity = 4096;

class DeviceTreeOverlayTest : public testing::Test {
protected:
    static std::vector<std::byte> base() {
        FdtWriter fdt{capacity};
        {
            const Node root{fdt, ""};
            const Node chosen{fdt, "chosen"};
            fdt.text("bootargs", "quiet");
        }
        return fdt.finish();
    }
    static std::vector<std::byte> overlay(const char* target, const std::string& model) {
        FdtWriter fdt{2 * capacity};
        {
            const Node root{fdt, ""};
            const Node fragment{fdt, "fragment@0"};
            fdt.text("target-path", target);
            const Node content{fdt, "__overlay__"};
            fdt.text("model", model);
            const Node added{fdt, "added"};
            fdt.flag("here");
        }
        return fdt.finish();
    }
    // The tree with an overlay; the complaint is in `said` when there is none.
    std::vector<std::byte> apply(const std::vector<std::byte>& changes) {
        const test::TemporaryFile file{0};
        file.put(0, {reinterpret_cast<const char*>(changes.data()), changes.size()});
        try {
            return DeviceTreeOverlay::open(file.path()).apply(base(), capacity);
        } catch (const gunyah::Error& error) {
            said = error.what();
            return {};
        }
    }

    std::string said;
};

TEST_F(DeviceTreeOverlayTest, ChangesTheTree) {
    const auto tree = apply(overlay("/", "changed"));
    ASSERT_FALSE(tree.empty()) << said;
    ASSERT_EQ(fdt_check_full(tree.data(), tree.size()), 0);
    EXPECT_STREQ(static_cast<const char*>(fdt_getprop(tree.data(), 0, "model", nullptr)),
                 "changed");
    EXPECT_GE(fdt_path_offset(tree.data(), "/added"), 0);
    EXPECT_GE(fdt_path_offset(tree.data(), "/chosen"), 0);
}

TEST_F(DeviceTreeOverlayTest, SaysWhyItDoesNotFit) {
    EXPECT_TRUE(apply(overlay("/nothing", "x")).empty());
    EXPECT_NE(said.find("names a node that is not there"), std::string::npos) << said;
    EXPECT_TRUE(apply(overlay("/", std::string(capacity, 'x'))).empty());
    EXPECT_NE(said.find("too large"), std::string::npos) << said;
    EXPECT_TRUE(apply(std::vector<std::byte>(100)).empty());
    EXPECT_NE(said.find("no compiled device tree"), std::string::npos) << said;
    EXPECT_TRUE(apply(std::vector<std::byte>((1 << 20) + 1)).empty());
    EXPECT_NE(said.find("larger than 1 MiB"), std::string::npos) << said;
    EXPECT_THROW(DeviceTreeOverlay::open("/nonexistent"), gunyah::Error);
}

} // namespace
} // namespace vmm
