// SPDX-License-Identifier: BSD-3-Clause
// Little-endian reading and writing of RPC payloads with bounds that cannot be forgotten.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace rm {

static_assert(std::endian::native == std::endian::little); // as messages are

/// Reads from the front. After a read past the end everything is 0 and ok() is false.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::uint8_t u8() { return take<std::uint8_t>(); }
    std::uint16_t u16() { return take<std::uint16_t>(); }
    std::uint32_t u32() { return take<std::uint32_t>(); }
    std::uint64_t u64() { return take<std::uint64_t>(); }

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t left() const { return bytes_.size(); }
    /// Everything was read and nothing beyond.
    [[nodiscard]] bool finished() const { return ok_ && bytes_.empty(); }

private:
    template <typename T>
    T take() {
        if (!ok_ || bytes_.size() < sizeof(T)) {
            ok_ = false;
            return 0;
        }
        T value{};
        __builtin_memcpy(&value, bytes_.data(), sizeof(T));
        bytes_ = bytes_.subspan(sizeof(T));
        return value;
    }

    std::span<const std::byte> bytes_;
    bool ok_ = true;
};

/// Writes to the front of a buffer. What does not fit is not written and ok() becomes false.
class Writer {
public:
    explicit Writer(std::span<std::byte> buffer) : buffer_(buffer) {}

    void u8(std::uint8_t value) { put(value); }
    void u16(std::uint16_t value) { put(value); }
    void u32(std::uint32_t value) { put(value); }
    void u64(std::uint64_t value) { put(value); }
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
    template <typename T>
    void put(T value) {
        if (!ok_ || buffer_.size() - used_ < sizeof(T)) {
            ok_ = false;
            return;
        }
        __builtin_memcpy(buffer_.data() + used_, &value, sizeof(T));
        used_ += sizeof(T);
    }

    std::span<std::byte> buffer_;
    std::size_t used_ = 0;
    bool ok_ = true;
};

} // namespace rm
