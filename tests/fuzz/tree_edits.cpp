// SPDX-License-Identifier: BSD-3-Clause
// The changes: five kinds, each of a byte and its arguments.
#include "tree_edits.hpp"

#include <libfdt.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace fuzz {

namespace {

using Input = vmm::fuzz::FuzzInput;

constexpr std::size_t room = 2048; // to grow
enum Kind : std::uint8_t {
    change_number,
    set_value,
    remove_property,
    remove_node,
    add_node,
    kinds
};

std::span<const std::byte> bytes_of(const std::vector<char>& blob) {
    return std::as_bytes(std::span(blob)).first(fdt_totalsize(blob.data()));
}

/// Whole input as a tree.
constexpr std::array magic{std::byte{0xd0}, std::byte{0x0d}, std::byte{0xfe}, std::byte{0xed}};

/// The n-th property of the tree; its node, too. Negative: there are fewer.
int find_property(const void* fdt, unsigned n, int& node) {
    for (node = 0; node >= 0; node = fdt_next_node(fdt, node, nullptr)) {
        int property = 0;
        fdt_for_each_property_offset(property, fdt, node) {
            if (n-- == 0) {
                return property;
            }
        }
    }
    return -1;
}

int find_node(const void* fdt, unsigned n) {
    int node = 0;
    for (; node >= 0 && n != 0; --n) {
        node = fdt_next_node(fdt, node, nullptr);
    }
    return node;
}

void change_property(std::vector<char>& blob, Kind kind, Input& input) {
    void* const fdt = blob.data();
    int node = 0;
    const int place = find_property(fdt, input.take<std::uint8_t>(), node);
    int length = 0;
    const struct fdt_property* const property =
        place < 0 ? nullptr : fdt_get_property_by_offset(fdt, place, &length);
    if (property == nullptr) {
        return;
    }
    const std::string name = fdt_string(fdt, static_cast<int>(fdt32_to_cpu(property->nameoff)));
    if (kind == remove_property) {
        (void)fdt_delprop(fdt, node, name.c_str());
    } else if (kind == set_value) {
        const auto size = input.take<std::uint8_t>() % 80;
        const auto value = input.take_bytes(static_cast<std::size_t>(size));
        (void)fdt_setprop(fdt, node, name.c_str(), value.data(), static_cast<int>(value.size()));
    } else if (length >= 4) { // one cell: exact, or some bits
        const int cell = input.take<std::uint8_t>() % (length / 4);
        fdt32_t value = cpu_to_fdt32(input.take<std::uint32_t>());
        (void)fdt_setprop_inplace_namelen_partial(fdt, node, name.c_str(),
                                                  static_cast<int>(name.size()),
                                                  static_cast<std::uint32_t>(cell) * 4, &value, 4);
    }
}

void change(std::vector<char>& blob, Input& input) {
    void* const fdt = blob.data();
    const auto kind = static_cast<Kind>(input.take<std::uint8_t>() % kinds);
    switch (kind) {
    case remove_node:
        if (const int node = find_node(fdt, input.take<std::uint8_t>()); node > 0) {
            (void)fdt_del_node(fdt, node);
        }
        break;
    case add_node: { // a copy of a node's properties beside it
        const int model = find_node(fdt, input.take<std::uint8_t>());
        const std::string name = "n" + std::to_string(input.take<std::uint8_t>());
        const int parent = model <= 0 ? 0 : fdt_parent_offset(fdt, model);
        std::vector<char> from(blob);
        const int added = parent < 0 ? -1 : fdt_add_subnode(fdt, parent, name.c_str());
        int property = 0;
        fdt_for_each_property_offset(property, from.data(), model) {
            int length = 0;
            const char* key = nullptr;
            const void* value = fdt_getprop_by_offset(from.data(), property, &key, &length);
            if (added >= 0 && value != nullptr) {
                (void)fdt_setprop(fdt, added, key, value, length);
            }
        }
        break;
    }
    default:
        change_property(blob, kind, input);
    }
}

Tree exactly(std::span<const std::byte> bytes) {
    return {bytes.begin(), bytes.end()};
}

} // namespace

Tree edited_tree(std::span<const std::byte> good, Input& input) {
    Input whole = input;
    if (std::ranges::equal(whole.take_bytes(magic.size()), magic)) {
        return exactly(input.take_bytes(~std::size_t{0}));
    }
    std::vector<char> blob(good.size() + room);
    (void)fdt_open_into(good.data(), blob.data(), static_cast<int>(blob.size()));
    for (unsigned left = input.take<std::uint8_t>() % 32; left != 0 && !input.empty(); --left) {
        change(blob, input);
    }
    (void)fdt_pack(blob.data());
    Tree tree = exactly(bytes_of(blob));
    while (!input.empty()) {
        const std::size_t place = input.take<std::uint16_t>();
        tree[place % tree.size()] = input.take<std::byte>();
    }
    return tree;
}

} // namespace fuzz
