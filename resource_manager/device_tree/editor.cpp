// SPDX-License-Identifier: BSD-3-Clause
// libfdt's read-write interface with a sticky error.
#include "device_tree/editor.hpp"

#include <libfdt.h>

#include <cstring>

namespace rm::dt {

Editor::Editor(const void* fdt, std::size_t slack) : fdt_(fdt) {
    const std::size_t size = rt::FlatTree::copy(fdt, nullptr) + slack;
    if (!buffer_.grow_to(size)) {
        error_ = -FDT_ERR_NOSPACE;
        return;
    }
    rt::FlatTree::copy(fdt, buffer_.begin());
    fdt_ = buffer_.begin();
    note(fdt_open_into(buffer_.begin(), buffer_.begin(), static_cast<int>(size)));
}

void Editor::note(int result) {
    if (error_ == 0 && result < 0) {
        error_ = result;
    }
}

Node Editor::child(Node parent, std::string_view name) {
    if (error_ != 0 || parent < 0) {
        note(parent);
        return -FDT_ERR_NOTFOUND;
    }
    const rt::FlatTree tree(fdt());
    Node node = tree.first_child(parent);
    while (node >= 0 && tree.name(node) != name) {
        node = tree.next_sibling(node);
    }
    if (node < 0) {
        node =
            fdt_add_subnode_namelen(writable(), parent, name.data(), static_cast<int>(name.size()));
    }
    note(node);
    return node;
}

Node Editor::at(std::string_view path) {
    Node node = 0;
    while (error_ == 0 && !path.empty()) {
        path.remove_prefix(path.starts_with('/') ? 1 : 0);
        const std::string_view name = path.substr(0, path.find('/'));
        if (!name.empty()) {
            node = child(node, name);
        }
        path.remove_prefix(name.size());
    }
    return error_ == 0 ? node : -FDT_ERR_NOTFOUND;
}

void Editor::set_bytes(Node node, const char* name, std::span<const std::byte> bytes) {
    if (error_ == 0) {
        note(fdt_setprop(writable(), node, name, bytes.data(), static_cast<int>(bytes.size())));
    }
}

void Editor::set_cells(Node node, const char* name, std::span<const std::uint32_t> cells) {
    void* data = nullptr;
    const int size = static_cast<int>(cells.size() * sizeof(fdt32_t));
    if (error_ == 0) {
        note(fdt_setprop_placeholder(writable(), node, name, size, &data));
    }
    for (std::size_t i = 0; error_ == 0 && i < cells.size(); ++i) {
        const fdt32_t value = cpu_to_fdt32(cells[i]);
        std::memcpy(static_cast<std::byte*>(data) + i * sizeof(value), &value, sizeof(value));
    }
}

void Editor::set_u64(Node node, const char* name, std::uint64_t value) {
    const std::array cells{static_cast<std::uint32_t>(value >> 32),
                           static_cast<std::uint32_t>(value)};
    set_cells(node, name, cells);
}

void Editor::set_text(Node node, const char* name, std::string_view text) {
    set_texts(node, name, {text});
}

void Editor::set_texts(Node node, const char* name, std::initializer_list<std::string_view> texts) {
    std::size_t size = 0;
    for (const std::string_view text : texts) {
        size += text.size() + 1;
    }
    void* data = nullptr;
    if (error_ == 0) {
        note(fdt_setprop_placeholder(writable(), node, name, static_cast<int>(size), &data));
    }
    auto* to = static_cast<char*>(data);
    for (const std::string_view text : texts) {
        if (error_ == 0) {
            std::memcpy(to, text.data(), text.size());
            to[text.size()] = '\0';
            to += text.size() + 1;
        }
    }
}

void Editor::remove_property(Node node, const char* name) {
    if (error_ == 0 && property(fdt(), node, name)) {
        note(fdt_delprop(writable(), node, name));
    }
}

void Editor::remove_node(Node node) {
    if (error_ == 0) {
        note(fdt_del_node(writable(), node));
    }
}

void Editor::remove_properties_everywhere(std::initializer_list<const char*> names) {
    for (Node node = 0; error_ == 0 && node >= 0; node = rt::FlatTree(fdt()).next(node)) {
        for (const char* name : names) {
            remove_property(node, name); // does not move the node itself
        }
    }
}

std::span<const std::byte> Editor::packed() {
    if (error_ == 0) {
        note(fdt_pack(writable()));
    }
    return error_ == 0 ? buffer_.span().first(fdt_totalsize(fdt())) : std::span<const std::byte>{};
}

} // namespace rm::dt
