// SPDX-License-Identifier: BSD-3-Clause
// Reads the multiboot modules of a device tree.
#include "primary/boot_modules.hpp"

namespace rm {

namespace {

/// A module's reg. QEMU writes two address and two size cells and leaves out the cell counts of
/// /chosen, so the length decides where the counts do not fit it.
std::optional<Range> module_range(const void* fdt, dt::Node chosen, dt::Node node) {
    const auto value = dt::property(fdt, node, "reg");
    if (!value) {
        return std::nullopt;
    }
    dt::CellCounts cells = dt::cell_counts(fdt, chosen);
    if (!cells.usable() || (cells.address + cells.size) * 4ULL != value->size()) {
        const bool wide = value->size() == 16;
        const bool narrow = value->size() == 8;
        if (!wide && !narrow) {
            return std::nullopt;
        }
        cells = wide ? dt::CellCounts{2, 2} : dt::CellCounts{1, 1};
    }
    const Range range{dt::number(*value, 0, cells.address),
                      dt::number(*value, cells.address, cells.size)};
    return range.wraps() || range.size == 0 ? std::nullopt : std::optional(range);
}

/// /chosen/linux,initrd-start and -end: how a boot loader's own command for an Image hands it over.
std::optional<Range> plain_initrd(const void* fdt, dt::Node chosen) {
    const auto start = dt::property(fdt, chosen, "linux,initrd-start");
    const auto end = dt::property(fdt, chosen, "linux,initrd-end");
    if (!start || !end) {
        return std::nullopt;
    }
    const auto value = [](std::span<const std::byte> bytes) {
        return dt::number(bytes, 0, bytes.size() == 8 ? 2 : 1);
    };
    const bool sized = start->size() >= 4 && end->size() >= 4;
    if (!sized || value(*start) >= value(*end)) {
        return std::nullopt;
    }
    return Range{value(*start), value(*end) - value(*start)};
}

} // namespace

bool is_boot_module(const void* fdt, dt::Node node) {
    return dt::is_compatible(fdt, node, "multiboot,module");
}

BootModules find_boot_modules(const void* fdt) {
    BootModules modules;
    const dt::Node chosen = rt::FlatTree(fdt).find("/chosen");
    if (chosen < 0) {
        return modules;
    }
    const rt::FlatTree tree(fdt);
    for (dt::Node node = tree.first_child(chosen); node >= 0; node = tree.next_sibling(node)) {
        if (!is_boot_module(fdt, node)) {
            continue;
        }
        if (dt::is_compatible(fdt, node, "multiboot,kernel")) {
            modules.kernel = module_range(fdt, chosen, node);
            modules.bootargs = dt::text(fdt, node, "bootargs").value_or("");
        } else if (dt::is_compatible(fdt, node, "multiboot,ramdisk")) {
            modules.initrd = module_range(fdt, chosen, node);
        }
    }
    if (!modules.initrd) {
        modules.initrd = plain_initrd(fdt, chosen);
    }
    return modules;
}

} // namespace rm
