// SPDX-License-Identifier: BSD-3-Clause
// Reading of flattened device trees: cells, addresses, translation through buses.
#pragma once

#include "memory/range.hpp"

#include <runtime/flat_tree.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rm::dt {

/// Node offsets are those of rt::FlatTree and libfdt; they are valid until the tree is changed.
/// Every tree that is read here is well-formed as rt::FlatTree means it.
using Node = rt::FlatTree::Node;

/// Levels below the root that RM follows; deeper nodes have no address for it.
inline constexpr std::size_t max_depth = 16;

std::optional<std::span<const std::byte>> property(const void* fdt, Node node,
                                                   std::string_view name);

/// A property that is one cell.
std::optional<std::uint32_t> cell(const void* fdt, Node node, std::string_view name);

/// A property that is a NUL-terminated string (the first one of a list).
std::optional<std::string_view> text(const void* fdt, Node node, std::string_view name);

/// The number in `count` (0 to 2) cells of a property, starting at cell `index`. Cells that the
/// property does not have count as 0.
std::uint64_t number(std::span<const std::byte> property, std::size_t index, unsigned count);

bool is_compatible(const void* fdt, Node node, std::string_view compatible);
bool is_enabled(const void* fdt, Node node);

/// #address-cells and #size-cells of a node for its children.
struct CellCounts {
    unsigned address;
    unsigned size;
    /// RM reads addresses and sizes of at most two cells (PCI's three are read by their own code).
    [[nodiscard]] bool usable() const { return address >= 1 && address <= 2 && size <= 2; }
};
CellCounts cell_counts(const void* fdt, Node node);

/// Ancestors of a node, the root first and the parent last.
struct Ancestors {
    std::array<Node, max_depth> nodes{};
    std::size_t count = 0;

    static std::optional<Ancestors> of(const void* fdt, Node node);
    [[nodiscard]] Node parent() const { return nodes[count - 1]; }
};

/// The address that `address` in the space of the last ancestor has for a CPU; nothing when a bus
/// on the way does not map it.
std::optional<std::uint64_t> translate(const void* fdt, const Ancestors& ancestors,
                                       std::uint64_t address);

/// Entry `index` of the node's "reg" as a CPU address range; nothing past the end, when it cannot
/// be translated, or when it wraps around.
std::optional<Range> reg(const void* fdt, const Ancestors& ancestors, Node node, std::size_t index);
std::optional<Range> reg(const void* fdt, Node node, std::size_t index);

} // namespace rm::dt
