// SPDX-License-Identifier: BSD-3-Clause
// Option values of the form "path=a.raw,ro".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmm {

struct KeyValue {
    std::string key;
    std::string value; // "yes" for a key without one
};

// Splits at single commas; two commas stand for one that belongs to the value. What stands first
// without a key has the key `first_key`.
std::vector<KeyValue> parse_key_values(std::string_view text, std::string_view first_key);

} // namespace vmm
