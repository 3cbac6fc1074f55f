// SPDX-License-Identifier: BSD-3-Clause
// Finds the UART that the firmware uses as console.
#include "platform/device_tree.hpp"
#include "platform/platform.hpp"

#include <array>

namespace hyp {

namespace {

struct KnownUart {
    const char* compatible;
    UartInfo::Kind kind;
};

constexpr std::array<KnownUart, 5> known_uarts{{
    {"arm,pl011", UartInfo::Kind::pl011},
    {"arm,sbsa-uart", UartInfo::Kind::sbsa},
    {"ns16550a", UartInfo::Kind::ns16550},
    {"ns16550", UartInfo::Kind::ns16550},
    {"snps,dw-apb-uart", UartInfo::Kind::ns16550},
}};

std::optional<UartInfo> read_uart(const DeviceTree& tree, DeviceTree::Node node) {
    const auto range = tree.reg(node);
    if (!range || range->size == 0) {
        return std::nullopt;
    }
    for (const KnownUart& known : known_uarts) {
        if (tree.compatible(node, known.compatible)) {
            UartInfo info{known.kind, *range};
            info.register_shift = tree.cell(node, "reg-shift").value_or(0);
            info.register_width = tree.cell(node, "reg-io-width").value_or(1);
            const bool sane =
                info.register_shift <= 3 && (info.register_width == 1 || info.register_width == 4);
            return sane ? std::optional(info) : std::nullopt;
        }
    }
    return std::nullopt;
}

/// stdout-path: a path or an alias, with options behind a colon.
DeviceTree::Node stdout_node(const DeviceTree& tree) {
    const std::string_view text = tree.text(tree.find("/chosen"), "stdout-path");
    const std::string_view path = text.substr(0, text.find(':'));
    return tree.find(path); // resolves aliases too
}

} // namespace

std::optional<UartInfo> find_uart(const void* device_tree, std::uint64_t available) {
    const auto tree = DeviceTree::open(device_tree, available);
    if (!tree) {
        return std::nullopt;
    }
    if (const auto uart = read_uart(*tree, stdout_node(*tree))) {
        return uart;
    }
    for (const KnownUart& known : known_uarts) {
        const auto node = tree->next_compatible(tree->root, known.compatible);
        if (node >= 0) {
            return read_uart(*tree, node);
        }
    }
    return std::nullopt;
}

} // namespace hyp
