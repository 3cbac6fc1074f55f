// SPDX-License-Identifier: BSD-3-Clause
// MacAddress: text form and defaults.
#include "net/mac_address.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vmm {
namespace {

constexpr std::uint8_t group_bit = 1;
constexpr std::uint8_t local_bit = 2;
constexpr std::size_t text_size = 17;

// FNV-1a with 64 bits: spreads names that differ in one letter; no secret is involved.
std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 0xcbf29ce484222325;
    for (const char letter : text) {
        value = (value ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    }
    return value;
}

} // namespace

std::optional<MacAddress> parse_mac(std::string_view text) {
    MacAddress mac{};
    if (text.size() != text_size) {
        return std::nullopt;
    }
    for (std::size_t index = 0; index < mac.size(); ++index) {
        const char* begin = text.data() + 3 * index;
        const auto parsed = std::from_chars(begin, begin + 2, mac[index], 16);
        const bool separated = index + 1 == mac.size() || begin[2] == ':';
        if (parsed.ec != std::errc{} || parsed.ptr != begin + 2 || !separated) {
            return std::nullopt;
        }
    }
    if ((mac[0] & group_bit) != 0 || mac == MacAddress{}) {
        return std::nullopt;
    }
    return mac;
}

std::string format_mac(const MacAddress& mac) {
    return fmt::format("{:02x}", fmt::join(mac, ":"));
}

MacAddress default_mac(std::string_view vm, std::size_t number) {
    const std::uint64_t value = hash(fmt::format("{}/{}", vm, number));
    MacAddress mac{};
    for (std::size_t index = 0; index < mac.size(); ++index) {
        mac[index] = static_cast<std::uint8_t>(value >> (8 * index));
    }
    mac[0] = static_cast<std::uint8_t>((mac[0] | local_bit) & ~group_bit);
    return mac;
}

} // namespace vmm
