// SPDX-License-Identifier: BSD-3-Clause
// MacAddress: the hardware address of a guest's network device.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmm {

using MacAddress = std::array<std::uint8_t, 6>;

// "02:00:5e:10:00:01"; nothing for anything else, for a group's address and for the zero address.
std::optional<MacAddress> parse_mac(std::string_view text);
std::string format_mac(const MacAddress& mac);

// The address of device `number` of the VM `vm`: always the same, administered locally
// (IEEE 802, 8.4: bit 1 of the first byte).
MacAddress default_mac(std::string_view vm, std::size_t number);

} // namespace vmm
