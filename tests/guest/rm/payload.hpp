// SPDX-License-Identifier: BSD-3-Clause
// Little-endian integers into and out of message payloads.
#pragma once

#include <runtime/panic.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace test {

/// Builds a payload. Capacity: more than the longest request, 63 x 232 bytes.
class PayloadWriter {
public:
    PayloadWriter& u8(std::uint8_t value) { return append(value, 1); }
    PayloadWriter& u16(std::uint16_t value) { return append(value, 2); }
    PayloadWriter& u32(std::uint32_t value) { return append(value, 4); }
    PayloadWriter& u64(std::uint64_t value) { return append(value, 8); }
    [[nodiscard]] std::span<const std::byte> bytes() const { return {bytes_.data(), used_}; }
    void clear() { used_ = 0; }

private:
    PayloadWriter& append(std::uint64_t value, unsigned size) {
        rt::ensure(used_ + size <= bytes_.size(), "PayloadWriter: too long");
        for (unsigned i = 0; i < size; ++i) {
            bytes_[used_++] = static_cast<std::byte>(value >> (8 * i) & 0xff);
        }
        return *this;
    }

    std::array<std::byte, 16384> bytes_{};
    std::size_t used_ = 0;
};

/// Reads a payload; reading beyond its end gives zeroes and clears ok().
class PayloadReader {
public:
    explicit PayloadReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(take(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(take(4)); }
    std::uint64_t u64() { return take(8); }
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool finished() const { return ok_ && bytes_.empty(); }

private:
    std::uint64_t take(unsigned size) {
        if (bytes_.size() < size) {
            ok_ = false;
            return 0;
        }
        std::uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i) {
            value |= std::to_integer<std::uint64_t>(bytes_[i]) << (8 * i);
        }
        bytes_ = bytes_.subspan(size);
        return value;
    }

    std::span<const std::byte> bytes_;
    bool ok_ = true;
};

} // namespace test
