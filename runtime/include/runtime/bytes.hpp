// SPDX-License-Identifier: BSD-3-Clause
// Byte-wise operations on memory; the freestanding builds export them as memcpy and its kin.
#pragma once

#include <cstddef>

namespace rt {

/// Copies between ranges that do not overlap. Any alignment; fastest when both are alike modulo 8.
/// Gives `to`.
void* copy_bytes(void* to, const void* from, std::size_t size);

/// Copies between ranges that may overlap. Gives `to`.
void* move_bytes(void* to, const void* from, std::size_t size);

/// Likewise.
void* fill_bytes(void* to, unsigned char value, std::size_t size);

/// Negative, zero or positive as the first differing byte of `a` is less than, … that of `b`.
[[nodiscard]] int compare_bytes(const void* a, const void* b, std::size_t size);

/// Bytes before the NUL. Reads whole words: up to 7 bytes behind it, none of another page.
[[nodiscard]] std::size_t text_length(const char* text);

/// First occurrence of `value`, or nullptr.
[[nodiscard]] const void* find_byte(const void* from, unsigned char value, std::size_t size);

} // namespace rt
