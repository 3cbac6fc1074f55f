// SPDX-License-Identifier: BSD-3-Clause
// Changing a device tree in a buffer of RM's own, with one error check at the end.
#pragma once

#include "device_tree/tree.hpp"
#include "memory/vector.hpp"

#include <initializer_list>

namespace rm::dt {

/// Owns a copy of a tree with room to grow. The first error sticks: later calls do nothing, and
/// error() tells. Any change may move nodes: offsets obtained before it are stale.
class Editor {
public:
    /// Copies `fdt` (checked by the caller) and leaves `slack` bytes to grow.
    Editor(const void* fdt, std::size_t slack);

    /// There was no memory for the copy; error() is -FDT_ERR_NOSPACE then.
    [[nodiscard]] bool no_memory() const { return buffer_.empty(); }
    /// 0, or a negative libfdt error.
    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] const void* fdt() const { return fdt_; }
    [[nodiscard]] void* writable() { return buffer_.begin(); }

    /// The child `name` of `parent`, made if it is not there. Negative after an error.
    Node child(Node parent, std::string_view name);
    /// The node at a path such as "/chosen", made level by level.
    Node at(std::string_view path);

    void set_cells(Node node, const char* name, std::span<const std::uint32_t> cells);
    void set_cell(Node node, const char* name, std::uint32_t value) {
        set_cells(node, name, std::span(&value, 1));
    }
    /// Two cells.
    void set_u64(Node node, const char* name, std::uint64_t value);
    void set_text(Node node, const char* name, std::string_view text);
    void set_texts(Node node, const char* name, std::initializer_list<std::string_view> texts);
    void set_bytes(Node node, const char* name, std::span<const std::byte> bytes);
    void set_flag(Node node, const char* name) { set_bytes(node, name, {}); }
    void remove_property(Node node, const char* name);
    void remove_node(Node node);
    /// Removes every node for which `matches(fdt, node)` is true.
    template <typename Predicate>
    void remove_nodes(Predicate matches) {
        for (Node node = 0; error_ == 0 && node >= 0;) {
            const bool gone = matches(fdt(), node);
            if (gone) {
                remove_node(node); // what was behind it has moved to its place
            }
            const rt::FlatTree tree(fdt());
            node = error_ != 0 ? tree.none : gone ? tree.at_or_behind(node) : tree.next(node);
        }
    }
    /// Removes the properties from every node.
    void remove_properties_everywhere(std::initializer_list<const char*> names);

    /// Gives the tree in its smallest form; empty after an error.
    std::span<const std::byte> packed();

private:
    void note(int result);

    Vector<std::byte> buffer_;
    const void* fdt_; // the buffer; the original where there is no memory for one
    int error_ = 0;
};

} // namespace rm::dt
