// SPDX-License-Identifier: BSD-3-Clause
// Walks the tree of a board and gathers what its devices' registers and windows occupy.
#include "device_tree/device_ranges.hpp"

#include "device_tree/tree.hpp"

namespace rm::dt {

namespace {

constexpr unsigned pci_address_cells = 3; // PCI Bus Binding: phys.hi, phys.mid, phys.lo
constexpr unsigned pci_size_cells = 2;

bool is_left_out(const void* fdt, Node node) {
    const auto type = text(fdt, node, "device_type");
    const bool is_memory = type && *type == "memory";
    const bool is_reserved = rt::FlatTree(fdt).name(node) == "reserved-memory";
    return is_memory || is_reserved || is_compatible(fdt, node, "arm,gic-v3") ||
           !is_enabled(fdt, node);
}

bool add_pages(RangeSet& ranges, const Range& range) {
    const std::uint64_t base = align_down(range.base, page_size);
    const bool too_high = range.size == 0 || range.end() > ~std::uint64_t{0} - page_size;
    return too_high || ranges.add({base, align_up(range.end(), page_size) - base});
}

bool add_pci_windows(const void* fdt, const Ancestors& ancestors, Node node, RangeSet& ranges) {
    const auto windows = property(fdt, node, "ranges");
    const CellCounts above = cell_counts(fdt, ancestors.parent());
    if (!windows || !above.usable()) {
        return true;
    }
    const std::size_t entry = pci_address_cells + above.address + pci_size_cells;
    for (std::size_t i = 0; (i + entry) * 4 <= windows->size(); i += entry) {
        const auto base =
            translate(fdt, ancestors, number(*windows, i + pci_address_cells, above.address));
        const std::uint64_t size =
            number(*windows, i + pci_address_cells + above.address, pci_size_cells);
        const bool usable = base && !Range{*base, size}.wraps();
        if (usable && !add_pages(ranges, {*base, size})) {
            return false;
        }
    }
    return true;
}

/// Recursion is bounded by max_depth.
bool visit(const void* fdt, Ancestors& ancestors, Node node, RangeSet& ranges) {
    for (std::size_t i = 0;; ++i) {
        const auto range = reg(fdt, ancestors, node, i);
        if (!range) {
            break;
        }
        if (!add_pages(ranges, *range)) {
            return false;
        }
    }
    const auto type = text(fdt, node, "device_type");
    if (type && *type == "pci") {
        return add_pci_windows(fdt, ancestors, node, ranges);
    }
    const bool is_bus = property(fdt, node, "ranges").has_value();
    if (!is_bus || ancestors.count == max_depth) {
        return true;
    }
    ancestors.nodes[ancestors.count++] = node;
    bool ok = true;
    const rt::FlatTree tree(fdt);
    for (Node child = tree.first_child(node); child >= 0; child = tree.next_sibling(child)) {
        ok = ok && (is_left_out(fdt, child) || visit(fdt, ancestors, child, ranges));
    }
    --ancestors.count;
    return ok;
}

/// What firmware keeps: no VM gets it, even if a device's node claims it as its registers.
bool remove_firmware_memory(const void* fdt, RangeSet& ranges) {
    const rt::FlatTree tree(fdt);
    bool ok = true;
    for (Node node = tree.first_child(tree.find("/reserved-memory")); node >= 0;
         node = tree.next_sibling(node)) {
        const bool kept = is_enabled(fdt, node) && property(fdt, node, "no-map").has_value();
        for (std::size_t i = 0; ok && kept; ++i) {
            const auto range = reg(fdt, node, i);
            if (!range) {
                break;
            }
            const std::uint64_t base = align_down(range->base, page_size);
            ok = ranges.remove({base, align_up(range->end(), page_size) - base});
        }
    }
    return ok;
}

} // namespace

bool collect_device_ranges(const void* fdt, RangeSet& ranges) {
    Ancestors ancestors;
    ancestors.nodes[ancestors.count++] = 0;
    const rt::FlatTree tree(fdt);
    for (Node child = tree.first_child(tree.root); child >= 0; child = tree.next_sibling(child)) {
        if (!is_left_out(fdt, child) && !visit(fdt, ancestors, child, ranges)) {
            return false;
        }
    }
    return remove_firmware_memory(fdt, ranges);
}

} // namespace rm::dt
