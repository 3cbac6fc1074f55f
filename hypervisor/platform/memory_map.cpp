// SPDX-License-Identifier: BSD-3-Clause
// Turns the tree's many ways to describe memory into sorted page-aligned ranges.
#include "platform/memory_map.hpp"

#include <algorithm>

namespace hyp {

namespace {

// 2^47: what EL2's physical map reaches (arch/physmap.hpp).
constexpr std::uint64_t address_limit = std::uint64_t{1} << 47;

using Status = std::expected<void, PlatformError>;

/// The whole pages inside a range.
PhysRange inner_pages(PhysRange range) {
    const std::uint64_t end = align_down(range.end().value, page_size);
    const std::uint64_t base = align_up(range.base.value, page_size);
    return {PhysAddr{base}, base < end ? end - base : 0};
}

/// All pages that a range touches.
PhysRange outer_pages(PhysRange range) {
    const PhysAddr base = range.base.page();
    return {base, align_up(range.end().value, page_size) - base.value};
}

bool usable(PhysRange range) {
    return range.size != 0 && range.base.value < address_limit &&
           range.size <= address_limit - range.base.value;
}

/// Inserts in order and joins what touches or overlaps.
bool insert(decltype(Platform::ram)& list, PhysRange added) {
    for (std::size_t i = 0; i < list.size();) {
        const PhysRange other = list[i];
        if (added.base <= other.end() && other.base <= added.end()) {
            const PhysAddr base = std::min(added.base, other.base);
            added = {base, std::max(added.end(), other.end()) - base};
            list.erase(i);
        } else {
            ++i;
        }
    }
    if (!list.push_back(added)) {
        return false;
    }
    for (std::size_t i = list.size() - 1; i != 0 && list[i].base < list[i - 1].base; --i) {
        std::swap(list[i], list[i - 1]);
    }
    return true;
}

Status add_occupied(Platform& platform, PhysRange range) {
    if (!usable(range)) {
        return {};
    }
    RT_FAIL_IF(!platform.occupied.push_back(outer_pages(range)),
               "The device tree reserves more pieces of memory than supported (64).");
    return {};
}

Status read_ram(const DeviceTree& tree, Platform& platform) {
    for (auto node = tree.first_child(tree.root); node >= 0; node = tree.next_sibling(node)) {
        if (tree.text(node, "device_type") != "memory" || !tree.enabled(node)) {
            continue;
        }
        for (std::size_t i = 0; const auto range = tree.reg(node, i); ++i) {
            const PhysRange pages = inner_pages(*range);
            RT_FAIL_IF(usable(pages) && !insert(platform.ram, pages),
                       "The device tree has more separate ranges of RAM than supported (16).");
        }
    }
    RT_FAIL_IF(platform.ram.empty(), "The device tree describes no RAM (no usable /memory node).");
    return {};
}

/// /reserved-memory: "no-map" is not for any OS; the rest is RAM with a purpose.
Status read_reserved(const DeviceTree& tree, Platform& platform) {
    const auto parent = tree.find("/reserved-memory");
    for (auto node = tree.first_child(parent); node >= 0; node = tree.next_sibling(node)) {
        if (!tree.enabled(node)) {
            continue;
        }
        for (std::size_t i = 0; const auto range = tree.reg(node, i); ++i) {
            if (!usable(*range)) {
                continue;
            }
            if (!tree.has(node, "no-map")) {
                RT_TRY(add_occupied(platform, *range));
            } else {
                RT_FAIL_IF(!subtract(platform.ram, outer_pages(*range)),
                           "Reserved memory splits RAM into more than 16 ranges.");
            }
        }
    }
    for (std::size_t i = 0; const auto range = tree.reservation(i); ++i) {
        RT_TRY(add_occupied(platform, *range));
    }
    return {};
}

/// A boot module's "reg": QEMU always writes two cells each, whatever /chosen says.
std::optional<PhysRange> module_range(const DeviceTree& tree, DeviceTree::Node node) {
    constexpr std::size_t two_numbers = 16;
    const auto reg = tree.bytes(node, "reg");
    if (reg.size() == two_numbers) {
        const PhysRange range{PhysAddr{*read_cells(reg, 2)}, *read_cells(reg.subspan(8), 2)};
        return range_wraps(range.base.value, range.size) ? std::nullopt : std::optional(range);
    }
    return tree.reg(node);
}

/// Boot modules (compatible "multiboot,module") and a plain initrd.
Status read_modules(const DeviceTree& tree, PhysAddr device_tree_address, Platform& platform) {
    const auto chosen = tree.find("/chosen");
    for (auto node = tree.first_child(chosen); node >= 0; node = tree.next_sibling(node)) {
        if (!tree.compatible(node, "multiboot,module")) {
            continue;
        }
        const auto range = module_range(tree, node);
        RT_FAIL_IF(!range, "A multiboot,module node in /chosen has no usable reg property.");
        // QEMU puts its device tree over whatever was loaded there; better said than met as a
        // crash.
        RT_FAIL_IF(range->overlaps({device_tree_address, tree.size()}),
                   "A boot module (multiboot,module) and the device tree lie over each other in "
                   "memory: load the module at another address.");
        RT_TRY(add_occupied(platform, *range));
    }
    const auto start = tree.number(chosen, "linux,initrd-start");
    const auto end = tree.number(chosen, "linux,initrd-end");
    if (start && end && *start < *end) {
        return add_occupied(platform, {PhysAddr{*start}, *end - *start});
    }
    return {};
}

} // namespace

Status read_memory_map(const DeviceTree& tree, PhysAddr device_tree_address, Platform& platform) {
    RT_TRY(read_ram(tree, platform));
    RT_TRY(read_reserved(tree, platform));
    RT_TRY(read_modules(tree, device_tree_address, platform));
    return add_occupied(platform, {device_tree_address, tree.size()});
}

std::optional<PhysAddr> find_free(const Platform& platform, std::uint64_t size,
                                  std::uint64_t alignment, PhysAddr not_below) {
    for (const PhysRange& range : platform.ram) {
        PhysAddr at{align_up(std::max(range.base, not_below).value, alignment)};
        while (range.contains(PhysRange{at, size})) {
            const PhysRange candidate{at, size};
            const auto* obstacle =
                std::find_if(platform.occupied.begin(), platform.occupied.end(),
                             [&](const PhysRange& other) { return other.overlaps(candidate); });
            if (obstacle == platform.occupied.end()) {
                return at;
            }
            at = PhysAddr{align_up(obstacle->end().value, alignment)};
        }
    }
    return std::nullopt;
}

} // namespace hyp
