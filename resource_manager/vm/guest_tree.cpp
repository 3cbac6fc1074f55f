// SPDX-License-Identifier: BSD-3-Clause
// Writes RM's nodes into a guest's device tree (layout: ABI of the public Resource Manager).
#include "vm/guest_tree.hpp"

#include "device_tree/gic_node.hpp"

#include <runtime/print.hpp>

#include <libfdt.h>

namespace rm {

namespace {

bool is_memory(const void* fdt, dt::Node node) {
    const auto type = dt::text(fdt, node, "device_type");
    return type && *type == "memory";
}

/// A node name with a number in it, on the stack.
struct Name {
    std::array<char, 64> buffer{};
    rt::BufferSink sink{buffer};

    template <typename... Arguments>
    explicit Name(rt::FormatString<std::type_identity_t<Arguments>...> format,
                  const Arguments&... arguments) {
        rt::print(sink, format, arguments...);
    }
    [[nodiscard]] std::string_view text() const { return sink.text(); }
};

constexpr std::size_t max_memory_ranges = 32;

/// Cells of a "reg" under construction.
struct RegCells {
    std::array<std::uint32_t, max_memory_ranges * 4> cells{};
    std::size_t used = 0;
    bool fits = true;

    /// Appends `value` in `count` (1 or 2) cells.
    void append(std::uint64_t value, unsigned count) {
        fits = fits && (count == 2 || value >> 32 == 0) && used + count <= cells.size();
        if (fits && count == 2) {
            cells[used++] = static_cast<std::uint32_t>(value >> 32);
        }
        if (fits) {
            cells[used++] = static_cast<std::uint32_t>(value);
        }
    }
};

constexpr char hex_digit(unsigned value) {
    return "0123456789abcdef"[value & 0xf];
}

/// Unit addresses are hexadecimal without prefix or leading zeroes.
struct Hex {
    std::array<char, 16> digits{};
    std::size_t first = digits.size();

    explicit Hex(std::uint64_t value) {
        do {
            digits[--first] = hex_digit(static_cast<unsigned>(value & 0xf));
            value >>= 4;
        } while (value != 0);
    }
    [[nodiscard]] std::string_view text() const {
        return {digits.data() + first, digits.size() - first};
    }
};

void add_bell(dt::Editor& tree, const GuestConfig& config, const GuestBell& bell) {
    const Name standard("/hypervisor/bell-{}", bell.config.label);
    const std::string_view path = bell.config.path.empty() ? standard.text() : bell.config.path;
    const std::size_t slash = path.rfind('/');
    const std::string_view folder = slash == std::string_view::npos ? "" : path.substr(0, slash);
    const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
    const Hex cap(bell.receive_cap);
    const Name name("{}@{}", last.substr(0, 32), cap.text());

    const dt::Node node = tree.child(tree.at(folder), name.text());
    tree.set_texts(node, "compatible", {"qcom,gunyah-doorbell", "qcom,gunyah-capability"});
    tree.set_u64(node, "reg", bell.receive_cap);
    std::array<std::uint32_t, 4> interrupt{};
    interrupt[1] = bell.config.spi - dt::first_spi;
    interrupt[2] = bell.config.irq_type;
    tree.set_cells(node, "interrupts", std::span(interrupt).first(config.gic_interrupt_cells));
    tree.set_cell(node, "qcom,label", bell.config.label);
}

} // namespace

bool set_memory(dt::Editor& tree, std::span<const Range> ram) {
    const Hex base(ram[0].base);
    const Name name("memory@{}", base.text());
    tree.remove_nodes([&](const void* fdt, dt::Node node) {
        return is_memory(fdt, node) && rt::FlatTree(fdt).name(node) != name.text();
    });
    if (tree.error() != 0) {
        return true; // the editor tells
    }
    const dt::CellCounts counts = dt::cell_counts(tree.fdt(), 0);
    if (!counts.usable() || counts.size == 0) {
        return false;
    }
    RegCells reg;
    for (const Range& range : ram) {
        reg.append(range.base, counts.address);
        reg.append(range.size, counts.size);
    }
    const dt::Node node = tree.child(0, name.text());
    tree.set_text(node, "device_type", "memory");
    tree.set_cells(node, "reg", std::span(reg.cells).first(reg.used));
    return reg.fits;
}

dt::Node add_hypervisor_node(dt::Editor& tree, std::uint32_t gic_phandle) {
    dt::Node node = tree.error() == 0 ? fdt_path_offset(tree.fdt(), "/hypervisor") : -1;
    if (node >= 0) {
        tree.remove_node(node); // whatever stood there described another hypervisor
    }
    node = tree.child(0, "hypervisor");
    tree.set_texts(node, "compatible",
                   {"gunyah-hypervisor", "qcom,gunyah-hypervisor-1.0", "qcom,gunyah-hypervisor",
                    "simple-bus"});
    tree.set_cell(node, "#address-cells", 2);
    tree.set_cell(node, "#size-cells", 0);
    if (gic_phandle != 0) {
        tree.set_cell(node, "interrupt-parent", gic_phandle);
    }
    return node;
}

void add_vm_identity(dt::Editor& tree, std::uint16_t vmid,
                     std::optional<std::uint16_t> owner_vmid) {
    const dt::Node node = tree.child(tree.at("/hypervisor"), "qcom,gunyah-vm");
    tree.set_texts(node, "compatible", {"qcom,gunyah-vm-id-1.0", "qcom,gunyah-vm-id"});
    tree.set_text(node, "qcom,vendor", "Gunyah in C++");
    tree.set_cell(node, "qcom,vmid", vmid);
    if (owner_vmid) {
        tree.set_cell(node, "qcom,owner-vmid", *owner_vmid);
    }
}

bool patch_guest_tree(dt::Editor& tree, const GuestConfig& config, const GuestTreeFacts& facts) {
    const bool expressible = set_memory(tree, std::span(&facts.ram, 1));
    const dt::Node chosen = tree.at("/chosen");
    const bool has_seed = chosen >= 0 && dt::property(tree.fdt(), chosen, "kaslr-seed").has_value();
    if (facts.kaslr_seed && !has_seed) {
        tree.set_u64(chosen, "kaslr-seed", *facts.kaslr_seed);
    }
    add_hypervisor_node(tree, config.gic_phandle);
    add_vm_identity(tree, facts.vmid, facts.owner_vmid);
    for (const GuestBell& bell : facts.bells) {
        add_bell(tree, config, bell);
    }
    return expressible;
}

} // namespace rm
