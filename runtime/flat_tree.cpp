// SPDX-License-Identifier: BSD-3-Clause
// The check of a flattened device tree, and walks over one that passed it.
#include <runtime/bytes.hpp>
#include <runtime/flat_tree.hpp>

#include <algorithm>
#include <array>
#include <bit>

namespace rt {

namespace {

constexpr std::uint32_t magic = 0xd00d'feed;
constexpr std::uint32_t version = 17; // the first with size_dt_struct
constexpr std::size_t header_size = 40;
constexpr std::size_t reservation_size = 16;

constexpr std::uint32_t begin_node = 1;
constexpr std::uint32_t end_node = 2;
constexpr std::uint32_t prop = 3;
constexpr std::uint32_t nop = 4;
constexpr std::uint32_t end = 9;
constexpr std::uint32_t tag_size = 4;
constexpr std::uint32_t prop_header = 12; // tag, length, name

/// One cell; blobs and all that is read of them are aligned to cells.
std::uint32_t read(const std::byte* from) {
    std::uint32_t value = 0;
    __builtin_memcpy(&value, __builtin_assume_aligned(from, sizeof(value)), sizeof(value));
    return std::byteswap(value);
}
std::uint64_t read_two(const std::byte* from) {
    return std::uint64_t{read(from)} << 32 | read(from + tag_size);
}

struct Header {
    std::uint32_t total, structure, strings, reservations, version, compatible, strings_size,
        structure_size;

    explicit Header(const std::byte* blob)
        : total(read(blob + 4)), structure(read(blob + 8)), strings(read(blob + 12)),
          reservations(read(blob + 16)), version(read(blob + 20)), compatible(read(blob + 24)),
          strings_size(read(blob + 32)), structure_size(read(blob + 36)) {}

    [[nodiscard]] bool holds(std::uint64_t offset, std::uint64_t size) const {
        return offset <= total && size <= total - offset;
    }
};

constexpr std::uint64_t aligned(std::uint64_t value) {
    return (value + 3) & ~std::uint64_t{3};
}

bool has_zero_byte(std::uint32_t cell) {
    return ((cell - 0x0101'0101U) & ~cell & 0x8080'8080U) != 0;
}

/// Where the reservation block ends; 0 if it does not.
std::uint32_t reservations_end(const std::byte* blob, const Header& header) {
    for (std::uint64_t at = header.reservations; header.holds(at, reservation_size);
         at += reservation_size) {
        if (read_two(blob + at + 8) == 0) {
            return static_cast<std::uint32_t>(at + reservation_size);
        }
    }
    return 0;
}

/// The structure block under examination; every step first looks whether there is enough of it.
struct Walk {
    std::span<const std::byte> structure;
    std::uint32_t strings_size;
    std::uint64_t at = 0;
    unsigned depth = 0;
    bool in_properties = false;

    [[nodiscard]] bool has(std::uint64_t size) const { return structure.size() - at >= size; }

    bool enter() {
        if (depth == FlatTree::max_depth || (depth == 0 && at != 0)) {
            return false;
        }
        do { // the name ends with the first cell that has a NUL
            at += tag_size;
            if (!has(tag_size)) {
                return false;
            }
        } while (!has_zero_byte(read(&structure[at])));
        at += tag_size;
        ++depth;
        in_properties = true;
        return true;
    }
    bool take_property() {
        if (!in_properties || !has(prop_header)) {
            return false;
        }
        const std::uint64_t size = read(&structure[at + 4]);
        const bool named = read(&structure[at + 8]) < strings_size;
        at += prop_header;
        const bool fits = has(aligned(size));
        at += fits ? aligned(size) : 0;
        return named && fits;
    }
    bool leave() {
        in_properties = false;
        at += tag_size;
        return depth-- != 0;
    }
    bool whole() {
        while (at <= structure.size() && has(tag_size)) {
            bool good = true;
            switch (read(&structure[at])) {
            case begin_node:
                good = enter();
                break;
            case prop:
                good = take_property();
                break;
            case end_node:
                good = leave();
                break;
            case nop:
                good = at != 0;
                at += tag_size;
                break;
            case end:
                return depth == 0 && at != 0;
            default:
                return false;
            }
            if (!good) {
                return false;
            }
        }
        return false;
    }
};

/// True if the terminated string `own` is `wanted`; looks no further than the first difference.
bool is_text(const char* own, std::string_view wanted) {
    for (const char character : wanted) {
        if (*own++ != character) {
            return false;
        }
    }
    return *own == '\0';
}

/// True if `component` of a path names the node `name`: as a whole, or up to its unit address.
bool names(std::string_view component, const char* name) {
    for (const char character : component) {
        if (*name++ != character) {
            return false;
        }
    }
    return *name == '\0' || (*name == '@' && component.find('@') == std::string_view::npos);
}

} // namespace

std::uint32_t FlatTree::total_size(const void* blob) {
    const auto* words = static_cast<const std::byte*>(blob);
    return read(words) == magic ? read(words + 4) : 0;
}

bool FlatTree::is_well_formed(const void* blob, std::size_t available) {
    const bool aligned_blob = reinterpret_cast<std::uintptr_t>(blob) % alignof(std::uint64_t) == 0;
    if (!aligned_blob || available < header_size || total_size(blob) < header_size) {
        return false;
    }
    const auto* bytes = static_cast<const std::byte*>(blob);
    const Header header(bytes);
    const bool placed = header.total <= available && header.version >= version &&
                        header.compatible <= version && header.structure % tag_size == 0 &&
                        header.reservations % tag_size == 0 &&
                        header.holds(header.structure, header.structure_size) &&
                        header.holds(header.strings, header.strings_size);
    if (!placed || reservations_end(bytes, header) == 0) {
        return false;
    }
    // With a NUL at the end of the block, every name in it ends.
    const std::uint64_t strings_end = std::uint64_t{header.strings} + header.strings_size;
    if (header.strings_size != 0 && bytes[strings_end - 1] != std::byte{0}) {
        return false;
    }
    return Walk{std::span(bytes + header.structure, header.structure_size), header.strings_size}
        .whole();
}

std::uint32_t FlatTree::copy(const void* well_formed, void* to) {
    const auto* bytes = static_cast<const std::byte*>(well_formed);
    const Header header(bytes);
    std::uint32_t used =
        std::max(header.structure + header.structure_size, header.strings + header.strings_size);
    used = std::max(used, reservations_end(bytes, header));
    if (to != nullptr) {
        copy_bytes(to, well_formed, used);
        const std::uint32_t total = std::byteswap(used);
        copy_bytes(static_cast<std::byte*>(to) + sizeof(total), &total, sizeof(total));
    }
    return used;
}

FlatTree::FlatTree(const void* well_formed) {
    const auto* bytes = static_cast<const std::byte*>(well_formed);
    structure_ = bytes + read(bytes + 8);
    strings_ = reinterpret_cast<const char*>(bytes + read(bytes + 12));
    reservations_ = bytes + read(bytes + 16);
}

std::uint32_t FlatTree::tag(int offset) const {
    return read(structure_ + offset);
}

/// Where the tag behind the one at `offset`, which is not the end, begins.
int FlatTree::behind(int offset) const {
    switch (tag(offset)) {
    case begin_node:
        do { // the name ends with the first cell that has a NUL
            offset += static_cast<int>(tag_size);
        } while (!has_zero_byte(tag(offset)));
        return offset + static_cast<int>(tag_size);
    case prop:
        return static_cast<int>(static_cast<std::uint64_t>(offset) + prop_header +
                                aligned(read(structure_ + offset + 4)));
    default:
        return offset + static_cast<int>(tag_size);
    }
}

FlatTree::Node FlatTree::at_or_behind(int offset) const {
    for (;; offset = behind(offset)) {
        const std::uint32_t here = tag(offset);
        if (here == begin_node) {
            return offset;
        }
        if (here == end) {
            return none;
        }
    }
}

FlatTree::Node FlatTree::next(Node node) const {
    return node < 0 ? root : at_or_behind(behind(node));
}

FlatTree::Node FlatTree::first_child(Node node) const {
    for (int at = node < 0 ? none : behind(node); at >= 0; at = behind(at)) {
        switch (tag(at)) {
        case begin_node:
            return at;
        case end_node:
            return none;
        default:
            break;
        }
    }
    return none;
}

FlatTree::Node FlatTree::next_sibling(Node node) const {
    unsigned depth = 1;
    for (int at = node < 0 ? none : behind(node); at >= 0; at = behind(at)) {
        switch (tag(at)) {
        case begin_node:
            if (depth++ == 0) {
                return at;
            }
            break;
        case end_node:
            if (depth-- == 0) {
                return none; // the parent's
            }
            break;
        case end:
            return none;
        default:
            break;
        }
    }
    return none;
}

std::size_t FlatTree::ancestors(Node node, std::span<Node> to) const {
    std::size_t depth = 0; // of the open nodes, all of which come before `node`
    for (int at = root; at < node; at = behind(at)) {
        const std::uint32_t here = tag(at);
        if (here == begin_node) {
            if (depth < to.size()) {
                to[depth] = at;
            }
            ++depth;
        } else if (here == end_node) {
            --depth;
        }
    }
    return depth <= to.size() ? depth : 0;
}

FlatTree::Node FlatTree::parent(Node node) const {
    std::array<Node, max_depth> above{};
    const std::size_t count = ancestors(node, above);
    return count == 0 ? none : above[count - 1];
}

FlatTree::Node FlatTree::child_named(Node node, std::string_view component) const {
    Node child = first_child(node);
    while (child >= 0 &&
           !names(component, reinterpret_cast<const char*>(structure_ + child + tag_size))) {
        child = next_sibling(child);
    }
    return child;
}

FlatTree::Node FlatTree::find(std::string_view path) const {
    if (!path.starts_with('/')) {
        const auto alias = property(child_named(root, "aliases"), path);
        path =
            !alias || alias->empty()
                ? std::string_view()
                : std::string_view(reinterpret_cast<const char*>(alias->data()), alias->size() - 1);
        if (!path.starts_with('/')) {
            return none;
        }
    }
    Node node = root;
    while (node >= 0 && !path.empty()) {
        path.remove_prefix(1); // the slash
        const std::string_view component = path.substr(0, path.find('/'));
        path.remove_prefix(component.size());
        node = component.empty() ? node : child_named(node, component);
    }
    return node;
}

FlatTree::Node FlatTree::next_compatible(Node node, std::string_view compatible_name) const {
    do {
        node = next(node);
    } while (node >= 0 && !compatible(node, compatible_name));
    return node;
}

std::string_view FlatTree::name(Node node) const {
    return node < 0 ? std::string_view()
                    : reinterpret_cast<const char*>(structure_ + node + tag_size);
}

std::optional<std::span<const std::byte>> FlatTree::property(Node node,
                                                             std::string_view name) const {
    for (int at = node < 0 ? none : behind(node); at >= 0; at = behind(at)) {
        const std::uint32_t here = tag(at);
        if (here == prop) {
            const char* own = strings_ + read(structure_ + at + 8);
            if (is_text(own, name)) {
                return std::span(structure_ + at + prop_header, read(structure_ + at + 4));
            }
        } else if (here != nop) {
            break;
        }
    }
    return std::nullopt;
}

bool FlatTree::compatible(Node node, std::string_view compatible) const {
    const auto value = property(node, "compatible");
    if (!value) {
        return false;
    }
    const auto* list = reinterpret_cast<const char*>(value->data());
    const char* const list_end = list + value->size();
    while (static_cast<std::size_t>(list_end - list) > compatible.size()) {
        if (list[compatible.size()] == '\0' && is_text(list, compatible)) {
            return true;
        }
        list = std::find(list, list_end, '\0');
        if (list != list_end) {
            ++list;
        }
    }
    return false;
}

std::optional<FlatTree::Reservation> FlatTree::reservation(std::size_t index) const {
    for (const std::byte* at = reservations_;; at += reservation_size, --index) {
        const Reservation here{read_two(at), read_two(at + 8)};
        if (here.size == 0) {
            return std::nullopt;
        }
        if (index == 0) {
            return here;
        }
    }
}

} // namespace rt
