// SPDX-License-Identifier: BSD-3-Clause
// Meaning of properties (Devicetree Specification, chapter 2).
#include "device_tree/tree.hpp"

namespace rm::dt {

namespace {

constexpr std::size_t cell_size = 4;

/// Where `address` of the bus' own space lies in its parent's space.
std::optional<std::uint64_t> translate_once(const void* fdt, Node bus, Node parent,
                                            std::uint64_t address) {
    const auto ranges = property(fdt, bus, "ranges");
    if (!ranges) {
        return std::nullopt;
    }
    if (ranges->empty()) {
        return address;
    }
    const CellCounts own = cell_counts(fdt, bus);
    const CellCounts above = cell_counts(fdt, parent);
    if (!own.usable() || !above.usable()) {
        return std::nullopt;
    }
    const std::size_t entry = own.address + above.address + own.size;
    for (std::size_t i = 0; (i + entry) * cell_size <= ranges->size(); i += entry) {
        const std::uint64_t from = number(*ranges, i, own.address);
        const std::uint64_t to = number(*ranges, i + own.address, above.address);
        const std::uint64_t size = number(*ranges, i + own.address + above.address, own.size);
        if (address >= from && address - from < size) {
            return to + (address - from);
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<std::span<const std::byte>> property(const void* fdt, Node node,
                                                   std::string_view name) {
    return rt::FlatTree(fdt).property(node, name);
}

std::optional<std::uint32_t> cell(const void* fdt, Node node, std::string_view name) {
    const auto value = property(fdt, node, name);
    if (!value || value->size() != cell_size) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(number(*value, 0, 1));
}

std::optional<std::string_view> text(const void* fdt, Node node, std::string_view name) {
    const auto value = property(fdt, node, name);
    if (!value) {
        return std::nullopt;
    }
    const std::string_view all(reinterpret_cast<const char*>(value->data()), value->size());
    const std::size_t end = all.find('\0');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    return all.substr(0, end);
}

std::uint64_t number(std::span<const std::byte> property, std::size_t index, unsigned count) {
    std::uint64_t value = 0;
    for (std::size_t i = index * cell_size; i < (index + count) * cell_size; ++i) {
        const std::byte byte = i < property.size() ? property[i] : std::byte{0};
        value = (value << 8) | std::to_integer<std::uint64_t>(byte);
    }
    return value;
}

bool is_compatible(const void* fdt, Node node, std::string_view compatible) {
    return rt::FlatTree(fdt).compatible(node, compatible);
}

bool is_enabled(const void* fdt, Node node) {
    const auto status = text(fdt, node, "status");
    return !status || *status == "okay" || *status == "ok";
}

CellCounts cell_counts(const void* fdt, Node node) {
    // Defaults of the specification, section 2.3.5.
    return {.address = cell(fdt, node, "#address-cells").value_or(2),
            .size = cell(fdt, node, "#size-cells").value_or(1)};
}

std::optional<Ancestors> Ancestors::of(const void* fdt, Node node) {
    Ancestors ancestors;
    ancestors.count = rt::FlatTree(fdt).ancestors(node, ancestors.nodes);
    return ancestors.count == 0 ? std::nullopt : std::optional(ancestors);
}

std::optional<std::uint64_t> translate(const void* fdt, const Ancestors& ancestors,
                                       std::uint64_t address) {
    std::optional<std::uint64_t> result = address;
    for (std::size_t i = ancestors.count; result && i > 1; --i) {
        result = translate_once(fdt, ancestors.nodes[i - 1], ancestors.nodes[i - 2], *result);
    }
    return result;
}

std::optional<Range> reg(const void* fdt, const Ancestors& ancestors, Node node,
                         std::size_t index) {
    const CellCounts cells = cell_counts(fdt, ancestors.parent());
    const auto value = property(fdt, node, "reg");
    const std::size_t entry = cells.address + cells.size;
    if (!value || !cells.usable() || (index + 1) * entry * cell_size > value->size()) {
        return std::nullopt;
    }
    const auto base = translate(fdt, ancestors, number(*value, index * entry, cells.address));
    if (!base) {
        return std::nullopt;
    }
    const Range range{*base, number(*value, index * entry + cells.address, cells.size)};
    return range.wraps() ? std::nullopt : std::optional(range);
}

std::optional<Range> reg(const void* fdt, Node node, std::size_t index) {
    const auto ancestors = Ancestors::of(fdt, node);
    return ancestors ? reg(fdt, *ancestors, node, index) : std::nullopt;
}

} // namespace rm::dt
