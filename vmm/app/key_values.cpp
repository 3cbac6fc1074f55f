// SPDX-License-Identifier: BSD-3-Clause
// parse_key_values(): commas, then the first '=' of each part.
#include "app/key_values.hpp"

namespace vmm {
namespace {

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts{{}};
    for (std::size_t index = 0; index < text.size(); ++index) {
        if (text[index] != ',') {
            parts.back() += text[index];
        } else if (index + 1 < text.size() && text[index + 1] == ',') {
            parts.back() += text[++index];
        } else {
            parts.emplace_back();
        }
    }
    return parts;
}

} // namespace

std::vector<KeyValue> parse_key_values(std::string_view text, std::string_view first_key) {
    std::vector<KeyValue> result;
    for (const std::string& part : split(text)) {
        const std::size_t equals = part.find('=');
        if (equals != std::string::npos) {
            result.push_back({part.substr(0, equals), part.substr(equals + 1)});
        } else if (result.empty()) {
            result.push_back({std::string{first_key}, part});
        } else {
            result.push_back({part, "yes"});
        }
    }
    return result;
}

} // namespace vmm
