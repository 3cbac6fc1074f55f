// SPDX-License-Identifier: BSD-3-Clause
// Little-endian reading and writing of RPC payloads with bounds that cannot be forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace rm {

/// Reads from the front. After a read past the end everything is 0 and ok() is false.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(take(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(take(4)); }
    std::uint64_t u64() { return take(8); }

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }
    /// Everything was read and nothing beyond.
    [[nodiscard]] bool finished() const { return ok_ && bytes_.empty(); }

private:
    std::uint64_t take(std::size_t size) {
        if (!ok_ || bytes_.size() < size) {
            ok_ = false;
            return 0;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) {
            value |= std::to_integer<std::uint64_t>(bytes_[i]) << (8 * i);
        }
        bytes_ = bytes_.subspan(size);
        return value;
    }

    std::span<const std::byte> bytes_;
    bool ok_ = true;
};

/// Writes to the front of a buffer. What does not fit is not written and ok() becomes false.
class Writer {
public:
    explicit Writer(std::span<std::byte> buffer) : buffer_(buffer) {}

    void u8(std::uint8_t value) { put(value, 1); }
    void u16(std::uint16_t value) { put(value, 2); }
    void u32(std::uint32_t value) { put(value, 4); }
    void u64(std::uint64_t value) { put(value, 8); }
    /// `text`, cut or padded with NUL to `size` bytes.
    void text(std::string_view text, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            u8(i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0});
        }
    }

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::span<const std::byte> written() const { return buffer_.first(used_); }
    void clear() {
        used_ = 0;
        ok_ = true;
    }

private:
    void put(std::uint64_t value, std::size_t size) {
        if (!ok_ || buffer_.size() - used_ < size) {
            ok_ = false;
            return;
        }
        for (std::size_t i = 0; i < size; ++i) {
            buffer_[used_++] = static_cast<std::byte>(value >> (8 * i));
        }
    }

    std::span<std::byte> buffer_;
    std::size_t used_ = 0;
    bool ok_ = true;
};

} // namespace rm
