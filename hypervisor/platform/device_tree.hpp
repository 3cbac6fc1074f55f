// SPDX-License-Identifier: BSD-3-Clause
// Reading a flattened device tree: nodes, cells, and addresses as the CPU sees them.
#pragma once

#include "heap/address.hpp"

#include <runtime/flat_tree.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hyp {

/// A view of a tree that open() checked; nothing in it can lead out of the blob.
class DeviceTree : public rt::FlatTree {
public:
    /// Nothing if the blob is not a well-formed tree of at most `available` bytes.
    static std::optional<DeviceTree> open(const void* blob, std::uint64_t available);

    /// The next node behind `after` (root to start) with this compatible string and not disabled.
    [[nodiscard]] Node next_compatible(Node after, std::string_view compatible) const;
    /// True unless "status" says otherwise.
    [[nodiscard]] bool enabled(Node node) const;

    [[nodiscard]] bool has(Node node, std::string_view property) const {
        return FlatTree::property(node, property).has_value();
    }
    [[nodiscard]] std::span<const std::byte> bytes(Node node, std::string_view property) const {
        return FlatTree::property(node, property).value_or(std::span<const std::byte>());
    }
    /// The property as a string without its NUL; empty if absent or not terminated.
    [[nodiscard]] std::string_view text(Node node, std::string_view property) const;
    /// One 32-bit cell of a property.
    [[nodiscard]] std::optional<std::uint32_t> cell(Node node, std::string_view property,
                                                    std::size_t index = 0) const;
    /// A property of one or two cells.
    [[nodiscard]] std::optional<std::uint64_t> number(Node node, std::string_view property) const;
    /// #address-cells or #size-cells that hold for the children of `node`.
    [[nodiscard]] unsigned address_cells(Node node) const;
    [[nodiscard]] unsigned size_cells(Node node) const;

    /// The index-th range of "reg", translated to CPU addresses through all buses above.
    [[nodiscard]] std::optional<PhysRange> reg(Node node, std::size_t index = 0) const;

    /// The i-th entry of the memory reservation block; nothing behind the last.
    [[nodiscard]] std::optional<PhysRange> reservation(std::size_t index) const;

    [[nodiscard]] std::uint64_t size() const { return total_size(blob_); }

private:
    explicit DeviceTree(const void* blob) : FlatTree(blob), blob_(blob) {}
    [[nodiscard]] std::optional<std::uint64_t> translate(Node bus, std::uint64_t address,
                                                         std::uint64_t size) const;

    const void* blob_;
};

/// Reads `cells` (1 or 2) big-endian cells from the start of `bytes`; nothing if there are fewer.
std::optional<std::uint64_t> read_cells(std::span<const std::byte> bytes, unsigned cells);

} // namespace hyp
