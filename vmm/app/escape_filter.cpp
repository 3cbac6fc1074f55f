// SPDX-License-Identifier: BSD-3-Clause
// EscapeFilter: two states, normal and just after Ctrl-A.
#include "app/escape_filter.hpp"

namespace vmm {

EscapeFilter::Result EscapeFilter::filter(std::span<const std::byte> typed) {
    constexpr std::byte control_a{0x01};
    Result result;
    for (const std::byte key : typed) {
        if (!escaped_) {
            escaped_ = key == control_a;
            if (!escaped_) {
                result.bytes.push_back(key);
            }
            continue;
        }
        escaped_ = false;
        if (key == std::byte{'x'} || key == std::byte{'X'}) {
            result.stop = true;
            return result;
        }
        result.bytes.push_back(control_a);
        if (key != control_a) {
            result.bytes.push_back(key);
        }
    }
    return result;
}

} // namespace vmm
