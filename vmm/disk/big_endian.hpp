// SPDX-License-Identifier: BSD-3-Clause
// Big-endian fields of a file.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>

namespace vmm {

// The value at `offset`; the bytes are there.
template <std::unsigned_integral T>
T load_big_endian(std::span<const std::byte> bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
    return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

template <std::unsigned_integral T>
void store_big_endian(std::span<std::byte> bytes, std::size_t offset, T value) {
    const T stored = std::endian::native == std::endian::big ? value : std::byteswap(value);
    std::memcpy(bytes.subspan(offset, sizeof(T)).data(), &stored, sizeof(T));
}

} // namespace vmm
