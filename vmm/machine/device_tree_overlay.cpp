// SPDX-License-Identifier: BSD-3-Clause
// DeviceTreeOverlay: libfdt's overlays, on copies: a failed one leaves both trees useless.
#include "machine/device_tree_overlay.hpp"

#include <libfdt.h>

#include <algorithm>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "machine/input_file.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

constexpr std::uint64_t largest_overlay = 1 << 20;

std::string why_not(int error) {
    switch (error) {
    case -FDT_ERR_NOTFOUND:
        return "it names a node that is not there, or one by its label";
    case -FDT_ERR_NOSPACE:
        return "the device tree becomes too large";
    default:
        return ::fdt_strerror(error);
    }
}

// libfdt adds the numbers under __local_fixups__, which say where an overlay refers to its own
// nodes, to lengths before it compares, and they may wrap. Recursive: fdt_check_full() bounds the
// depth.
bool are_inside(const void* tree, int fixups, int node) {
    int property = 0;
    fdt_for_each_property_offset(property, tree, fixups) {
        const char* name = nullptr;
        int count = 0;
        int length = 0;
        const auto* places =
            static_cast<const char*>(::fdt_getprop_by_offset(tree, property, &name, &count));
        if (places == nullptr || ::fdt_getprop(tree, node, name, &length) == nullptr) {
            return false;
        }
        for (int at = 0; at + 4 <= count; at += 4) {
            const std::uint32_t place = fdt32_ld(reinterpret_cast<const fdt32_t*>(places + at));
            if (std::uint64_t{place} + 4 > static_cast<std::uint64_t>(length)) {
                return false;
            }
        }
    }
    int child = 0;
    fdt_for_each_subnode(child, tree, fixups) {
        const int same = ::fdt_subnode_offset(tree, node, ::fdt_get_name(tree, child, nullptr));
        if (same < 0 || !are_inside(tree, child, same)) {
            return false;
        }
    }
    return true;
}

bool is_sound(const std::vector<std::byte>& overlay) {
    if (::fdt_check_full(overlay.data(), overlay.size()) != 0) {
        return false;
    }
    const int fixups = ::fdt_path_offset(overlay.data(), "/__local_fixups__");
    return fixups < 0 || are_inside(overlay.data(), fixups, 0);
}

} // namespace

DeviceTreeOverlay DeviceTreeOverlay::open(const std::string& path) {
    const InputFile file = InputFile::open("device tree overlay", path);
    if (file.size() > largest_overlay) {
        throw Error{ErrorKind::invalid_input, file.complaint(), "it is larger than 1 MiB", ""};
    }
    std::vector<std::byte> overlay(file.size());
    file.read(0, overlay);
    if (!is_sound(overlay)) {
        throw Error{ErrorKind::invalid_input, file.complaint(), "it is no compiled device tree",
                    "make one with dtc -@ -O dtb"};
    }
    return {std::move(overlay), file.complaint()};
}

std::vector<std::byte> DeviceTreeOverlay::apply(const std::vector<std::byte>& tree,
                                                std::size_t capacity) const {
    std::vector<std::byte> result(std::max(capacity, tree.size()));
    std::vector<std::byte> overlay = overlay_;
    int error = ::fdt_open_into(tree.data(), result.data(), static_cast<int>(result.size()));
    if (error == 0) {
        error = ::fdt_overlay_apply(result.data(), overlay.data());
    }
    if (error == 0) {
        error = ::fdt_pack(result.data());
    }
    if (error == 0) {
        result.resize(fdt_totalsize(result.data()));
        error = ::fdt_check_full(result.data(), result.size());
    }
    if (error != 0) {
        throw Error{ErrorKind::invalid_input, complaint_, why_not(error),
                    "write target-path = \"/...\" and look at the tree with --dump-dtb"};
    }
    return result;
}

} // namespace vmm
