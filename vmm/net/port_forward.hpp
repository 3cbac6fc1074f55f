// SPDX-License-Identifier: BSD-3-Clause
// PortForward: a port of the host whose traffic goes to a port of the guest.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vmm {

struct PortForward {
    bool udp = false;
    std::uint16_t host = 0;
    std::uint16_t guest = 0;
};

// "tcp:2222:22" or "udp:53:53", ports from 1 to 65535; nothing for anything else.
std::optional<PortForward> parse_forward(std::string_view text);

} // namespace vmm
