// SPDX-License-Identifier: BSD-3-Clause
// Reading a flattened device tree (Devicetree Specification 0.4, chapter 5): checked once, then
// fast.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rt {

/// A view of a tree in memory, which neither owns nor changes it. The functions rely on
/// is_well_formed(): a walk over a board's tree then costs some ten instructions per property.
/// A node is its offset in the structure block, as in libfdt; negative means none, and every
/// function that takes a node takes none, too, and finds nothing in it.
class FlatTree {
public:
    using Node = int;
    static constexpr Node root = 0;
    static constexpr Node none = -1;
    static constexpr unsigned max_depth = 32;

    /// True if the blob, aligned to 8 bytes, is a whole tree of version 17 within `available`
    /// bytes: no walk leads out of it, names end, nesting (at most max_depth) is right, properties
    /// stand before children.
    static bool is_well_formed(const void* blob, std::size_t available);
    /// The blob's length according to its header; 0 if it has no such header. `available` >= 8.
    static std::uint32_t total_size(const void* blob);

    /// Copies a tree without the room that firmware left behind its blocks; `to` = nullptr only
    /// gives the size. Returns the size of the copy, which is its total size.
    static std::uint32_t copy(const void* well_formed, void* to);

    explicit FlatTree(const void* well_formed);

    /// The next node in the order of the blob; next(none) is the root.
    [[nodiscard]] Node next(Node node) const;
    /// The first node that begins at `offset`, where a node or a tag behind one was, or later.
    [[nodiscard]] Node at_or_behind(int offset) const;
    [[nodiscard]] Node first_child(Node node) const;
    [[nodiscard]] Node next_sibling(Node node) const;
    [[nodiscard]] Node parent(Node node) const;
    /// The ancestors of `node`, the root first, into `to`; their number, or 0 if there are more
    /// than `to` holds, or none.
    [[nodiscard]] std::size_t ancestors(Node node, std::span<Node> to) const;
    /// "/a/b", where a name without unit address also finds a node with one; or an alias.
    [[nodiscard]] Node find(std::string_view path) const;
    /// The first node behind `node` with this compatible string.
    [[nodiscard]] Node next_compatible(Node node, std::string_view compatible) const;

    [[nodiscard]] std::string_view name(Node node) const;
    [[nodiscard]] std::optional<std::span<const std::byte>> property(Node node,
                                                                     std::string_view name) const;
    [[nodiscard]] bool compatible(Node node, std::string_view compatible) const;

    struct Reservation {
        std::uint64_t base;
        std::uint64_t size;
    };
    /// The index-th entry of the memory reservation block.
    [[nodiscard]] std::optional<Reservation> reservation(std::size_t index) const;

private:
    [[nodiscard]] std::uint32_t tag(int offset) const;
    [[nodiscard]] int behind(int offset) const;
    [[nodiscard]] Node child_named(Node node, std::string_view name) const;

    const std::byte* structure_;
    const char* strings_;
    const std::byte* reservations_;
};

} // namespace rt
