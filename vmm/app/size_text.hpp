// SPDX-License-Identifier: BSD-3-Clause
// Sizes as people write them: 64M, 2G.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace vmm {

// "64M", "2G", "524288K", also with "iB" or "B" behind it, in bytes. The error says what is wrong.
std::expected<std::uint64_t, std::string> parse_size(const std::string& text);

// The shortest text that parse_size() understands as `bytes`, a multiple of 1024.
std::string format_size(std::uint64_t bytes);

} // namespace vmm
