// SPDX-License-Identifier: BSD-3-Clause
// parse_size() and format_size(): powers of 1024 by their letters.
#include "app/size_text.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace vmm {
namespace {

constexpr std::array<std::pair<char, unsigned>, 3> units{{{'K', 10}, {'M', 20}, {'G', 30}}};

} // namespace

std::expected<std::uint64_t, std::string> parse_size(const std::string& text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{}) {
        return std::unexpected{fmt::format("'{}' is not a size; write it like 256M", text)};
    }
    const std::string_view suffix{unit, end};
    unsigned shift = 0;
    for (const auto& [letter, bits] : units) {
        const std::string plain{letter};
        if (suffix == plain || suffix == plain + "B" || suffix == plain + "iB") {
            shift = bits;
        }
    }
    if (shift == 0) {
        return std::unexpected{fmt::format("'{}' needs a unit: K, M or G, as in 256M", text)};
    }
    if (number > (UINT64_MAX >> shift)) {
        return std::unexpected{fmt::format("'{}' is too large", text)};
    }
    return number << shift;
}

std::string format_size(std::uint64_t bytes) {
    std::pair<char, unsigned> best = units.front();
    for (const auto& unit : units) {
        if (bytes != 0 && bytes % (std::uint64_t{1} << unit.second) == 0) {
            best = unit;
        }
    }
    return fmt::format("{}{}", bytes >> best.second, best.first);
}

} // namespace vmm
