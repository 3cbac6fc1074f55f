// SPDX-License-Identifier: BSD-3-Clause
// Reads the device tree with libfdt.
#include "machine/board.hpp"

#include <libfdt.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace test {

namespace {

constinit Board the_board;

struct Cells {
    const fdt32_t* data = nullptr;
    std::size_t count = 0;

    [[nodiscard]] std::uint64_t number(std::size_t index, unsigned width) const {
        std::uint64_t value = 0;
        for (unsigned i = 0; i < width && index + i < count; ++i) {
            value = value << 32 | fdt32_to_cpu(data[index + i]);
        }
        return value;
    }
};

Cells cells(const void* dtb, int node, const char* name) {
    int length = 0;
    const void* data = fdt_getprop(dtb, node, name, &length);
    if (data == nullptr) {
        return {};
    }
    return {static_cast<const fdt32_t*>(data), static_cast<std::size_t>(length) / 4};
}

struct Widths {
    unsigned address;
    unsigned size;
};

Widths widths_below(const void* dtb, int node) {
    const int address = node < 0 ? 2 : fdt_address_cells(dtb, node);
    const int size = node < 0 ? 1 : fdt_size_cells(dtb, node);
    return {static_cast<unsigned>(std::max(address, 0)), static_cast<unsigned>(std::max(size, 0))};
}

std::optional<Range> reg(const void* dtb, int node, std::size_t index) {
    const Cells value = cells(dtb, node, "reg");
    const Widths width = widths_below(dtb, fdt_parent_offset(dtb, node));
    const std::size_t entry = width.address + width.size;
    if (width.size == 0 || (index + 1) * entry > value.count) {
        return std::nullopt;
    }
    return Range{value.number(index * entry, width.address),
                 value.number(index * entry + width.address, width.size)};
}

bool has_type(const void* dtb, int node, const char* type) {
    int length = 0;
    const auto* value = static_cast<const char*>(fdt_getprop(dtb, node, "device_type", &length));
    return value != nullptr && std::strncmp(value, type, static_cast<std::size_t>(length)) == 0;
}

/// The three cells of the GIC binding as an INTID.
std::uint32_t intid(const Cells& interrupts, std::size_t index) {
    constexpr std::size_t cells_per_interrupt = 3;
    constexpr std::uint32_t first_ppi = 16;
    constexpr std::uint32_t first_spi = 32;
    const std::size_t at = index * cells_per_interrupt;
    const auto number = static_cast<std::uint32_t>(interrupts.number(at + 1, 1));
    return number + (interrupts.number(at, 1) == 1 ? first_ppi : first_spi);
}

void read_pci_windows(const void* dtb, int node) {
    const Cells windows = cells(dtb, node, "ranges");
    constexpr std::size_t entry = 7; // 3 cells PCI address, 2 CPU address, 2 size
    for (std::size_t at = 0; at + entry <= windows.count; at += entry) {
        (void)the_board.occupied.push_back({windows.number(at + 3, 2), windows.number(at + 5, 2)});
    }
}

void read_ranges(const void* dtb, int node) {
    const bool is_memory = has_type(dtb, node, "memory");
    for (std::size_t i = 0;; ++i) {
        const auto range = reg(dtb, node, i);
        if (!range) {
            break;
        }
        (void)(is_memory ? the_board.ram.push_back(*range) : the_board.occupied.push_back(*range));
    }
    if (has_type(dtb, node, "pci")) {
        read_pci_windows(dtb, node);
    }
}

void read_cpu(const void* dtb, int node) {
    const Cells value = cells(dtb, node, "reg");
    (void)the_board.mpidr.push_back(value.number(0, static_cast<unsigned>(value.count)));
}

void read_resource_manager(const void* dtb, int node) {
    const Cells caps = cells(dtb, node, "reg");
    const Cells interrupts = cells(dtb, node, "interrupts");
    if (caps.count == 4 && interrupts.count == 6) {
        the_board.resource_manager = ResourceManagerNode{
            caps.number(0, 2), caps.number(2, 2), intid(interrupts, 0), intid(interrupts, 1)};
    }
}

void read_node(const void* dtb, int node) {
    const auto compatible = [&](const char* name) {
        return fdt_node_check_compatible(dtb, node, name) == 0;
    };
    if (has_type(dtb, node, "cpu")) {
        read_cpu(dtb, node);
        return;
    }
    if (compatible("gunyah-resource-manager")) {
        read_resource_manager(dtb, node);
        return;
    }
    read_ranges(dtb, node);
    if (compatible("arm,gic-v3")) {
        the_board.distributor = reg(dtb, node, 0).value_or(Range{});
        the_board.redistributors = reg(dtb, node, 1).value_or(Range{});
    } else if (compatible("arm,armv8-pmuv3")) {
        the_board.has_pmu = true;
    } else if (compatible("arm,gic-v3-its")) {
        the_board.has_its = true;
    } else if (compatible("arm,pl011") && the_board.uart == 0) {
        the_board.uart = reg(dtb, node, 0).value_or(Range{}).base;
    } else if (compatible("arm,armv8-timer")) {
        const Cells interrupts = cells(dtb, node, "interrupts");
        the_board.physical_timer_irq = intid(interrupts, 1); // secure, non-secure, virtual, EL2
        the_board.virtual_timer_irq = intid(interrupts, 2);
    }
}

} // namespace

const char* read_board(const void* dtb) {
    if (fdt_check_header(dtb) != 0) {
        return "no device tree";
    }
    the_board.dtb = dtb;
    for (int node = fdt_next_node(dtb, -1, nullptr); node >= 0;
         node = fdt_next_node(dtb, node, nullptr)) {
        read_node(dtb, node);
    }
    int length = 0;
    const int chosen = fdt_path_offset(dtb, "/chosen");
    const auto* arguments = static_cast<const char*>(fdt_getprop(dtb, chosen, "bootargs", &length));
    the_board.arguments = arguments == nullptr ? "" : arguments;
    std::sort(the_board.ram.begin(), the_board.ram.end(),
              [](const Range& a, const Range& b) { return a.base < b.base; });
    if (the_board.uart == 0) {
        return "no PL011 in the device tree";
    }
    if (the_board.distributor.size == 0 || the_board.redistributors.size == 0) {
        return "no GICv3 in the device tree";
    }
    const bool complete =
        !the_board.mpidr.empty() && !the_board.ram.empty() && the_board.virtual_timer_irq != 0;
    return complete ? nullptr : "no CPUs, RAM or timer in the device tree";
}

const Board& board() {
    return the_board;
}

bool Board::is_free(const Range& range) const {
    const auto hit = [&](const Range& other) { return other.overlaps(range); };
    return std::none_of(ram.begin(), ram.end(), hit) &&
           std::none_of(occupied.begin(), occupied.end(), hit);
}

bool Board::has_argument(std::string_view word) const {
    for (std::size_t at = arguments.find(word); at != std::string_view::npos;
         at = arguments.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool starts = at == 0 || arguments[at - 1] == ' ';
        const bool ends = end == arguments.size() || arguments[end] == ' ';
        if (starts && ends) {
            return true;
        }
    }
    return false;
}

} // namespace test
