// SPDX-License-Identifier: BSD-3-Clause
// The tree itself was checked by open(); what lies in properties is checked here.
#include "platform/device_tree.hpp"

#include <algorithm>

namespace hyp {

namespace {

constexpr unsigned default_address_cells = 2; // Devicetree Specification 2.3.5
constexpr unsigned default_size_cells = 1;
constexpr unsigned most_cells = 2; // a 64-bit number
constexpr std::size_t cell_bytes = 4;
constexpr unsigned most_buses = 8;

std::uint64_t low_bits(unsigned cells) {
    return cells < most_cells ? 0xffff'ffffu : ~std::uint64_t{0};
}

} // namespace

std::optional<std::uint64_t> read_cells(std::span<const std::byte> bytes, unsigned cells) {
    if (cells > most_cells || bytes.size() < cells * cell_bytes) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const std::byte part : bytes.first(cells * cell_bytes)) {
        value = value << 8 | std::to_integer<std::uint64_t>(part);
    }
    return value;
}

std::optional<DeviceTree> DeviceTree::open(const void* blob, std::uint64_t available) {
    if (!is_well_formed(blob, available)) {
        return std::nullopt;
    }
    return DeviceTree(blob);
}

DeviceTree::Node DeviceTree::next_compatible(Node after, std::string_view name) const {
    Node node = after;
    do {
        node = FlatTree::next_compatible(node, name);
    } while (node >= 0 && !enabled(node));
    return node;
}

bool DeviceTree::enabled(Node node) const {
    const std::string_view status = text(node, "status");
    return !has(node, "status") || status == "okay" || status == "ok";
}

std::string_view DeviceTree::text(Node node, std::string_view property) const {
    const std::span<const std::byte> data = bytes(node, property);
    const auto end = std::find(data.begin(), data.end(), std::byte{0});
    if (end == data.end()) {
        return {};
    }
    return {reinterpret_cast<const char*>(data.data()),
            static_cast<std::size_t>(end - data.begin())};
}

std::optional<std::uint32_t> DeviceTree::cell(Node node, std::string_view property,
                                              std::size_t index) const {
    const std::span<const std::byte> data = bytes(node, property);
    if (index >= data.size() / cell_bytes) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(*read_cells(data.subspan(index * cell_bytes), 1));
}

std::optional<std::uint64_t> DeviceTree::number(Node node, std::string_view property) const {
    const std::span<const std::byte> data = bytes(node, property);
    return read_cells(data, static_cast<unsigned>(data.size() / cell_bytes));
}

unsigned DeviceTree::address_cells(Node node) const {
    return cell(node, "#address-cells").value_or(default_address_cells);
}

unsigned DeviceTree::size_cells(Node node) const {
    return cell(node, "#size-cells").value_or(default_size_cells);
}

std::optional<PhysRange> DeviceTree::reg(Node node, std::size_t index) const {
    const Node bus = parent(node);
    if (bus < 0) {
        return std::nullopt;
    }
    const unsigned address = address_cells(bus);
    const unsigned size = size_cells(bus);
    if (address > most_cells || size > most_cells || address == 0) {
        return std::nullopt;
    }
    const std::size_t entry = (address + size) * cell_bytes;
    const std::span<const std::byte> data = bytes(node, "reg");
    if (index >= data.size() / entry) {
        return std::nullopt;
    }
    const std::span<const std::byte> here = data.subspan(index * entry);
    const std::uint64_t bytes_covered = *read_cells(here.subspan(address * cell_bytes), size);
    const auto base = translate(bus, *read_cells(here, address), bytes_covered);
    if (!base || range_wraps(*base, bytes_covered)) {
        return std::nullopt;
    }
    return PhysRange{PhysAddr{*base}, bytes_covered};
}

std::optional<std::uint64_t> DeviceTree::translate(Node bus, std::uint64_t address,
                                                   std::uint64_t size) const {
    for (unsigned depth = 0; bus != root; ++depth) {
        const Node above = parent(bus);
        if (above < 0 || depth == most_buses || !has(bus, "ranges")) {
            return std::nullopt;
        }
        const unsigned child = address_cells(bus);
        const unsigned parent_cells = address_cells(above);
        const unsigned length = size_cells(bus);
        if (child > most_cells || parent_cells > most_cells || length > most_cells) {
            return std::nullopt;
        }
        const std::span<const std::byte> ranges = bytes(bus, "ranges");
        const std::size_t entry = (child + parent_cells + length) * cell_bytes;
        bool found = ranges.empty(); // empty: the same addresses
        for (std::size_t at = 0; !found && entry != 0 && at + entry <= ranges.size(); at += entry) {
            const std::span<const std::byte> one = ranges.subspan(at);
            const std::uint64_t from = *read_cells(one, child);
            const std::uint64_t to = *read_cells(one.subspan(child * cell_bytes), parent_cells);
            const std::uint64_t span =
                *read_cells(one.subspan((child + parent_cells) * cell_bytes), length);
            if (address >= from && range_within(address - from, size, span)) {
                address = (to + (address - from)) & low_bits(parent_cells);
                found = true;
            }
        }
        if (!found) {
            return std::nullopt;
        }
        bus = above;
    }
    return address;
}

std::optional<PhysRange> DeviceTree::reservation(std::size_t index) const {
    const auto found = FlatTree::reservation(index);
    return found ? std::optional(PhysRange{PhysAddr{found->base}, found->size}) : std::nullopt;
}

} // namespace hyp
