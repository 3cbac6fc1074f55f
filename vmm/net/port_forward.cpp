// SPDX-License-Identifier: BSD-3-Clause
// PortForward: its text form.
#include "net/port_forward.hpp"

#include <charconv>

namespace vmm {
namespace {

// Takes a port number off the front of `text`.
std::optional<std::uint16_t> take_port(std::string_view& text) {
    std::uint16_t port = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), port);
    if (parsed.ec != std::errc{} || port == 0) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    return port;
}

} // namespace

std::optional<PortForward> parse_forward(std::string_view text) {
    const bool udp = text.starts_with("udp:");
    if (!udp && !text.starts_with("tcp:")) {
        return std::nullopt;
    }
    text.remove_prefix(4);
    const auto host = take_port(text);
    if (!host || !text.starts_with(':')) {
        return std::nullopt;
    }
    text.remove_prefix(1);
    const auto guest = take_port(text);
    if (!guest || !text.empty()) {
        return std::nullopt;
    }
    return PortForward{.udp = udp, .host = *host, .guest = *guest};
}

} // namespace vmm
