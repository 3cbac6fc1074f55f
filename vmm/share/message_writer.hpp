// SPDX-License-Identifier: BSD-3-Clause
// MessageWriter: the fields of a reply, put one after the other into a space of fixed size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "share/protocol.hpp"

namespace vmm::share {

// What does not fit is left out and fits() becomes false.
class MessageWriter {
public:
    explicit MessageWriter(std::span<std::byte> space) : space_{space} {}

    [[nodiscard]] bool fits() const { return fits_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    // The bytes that are free.
    [[nodiscard]] std::span<std::byte> room() const { return space_.subspan(size_); }
    // The first `count` bytes of room() have been filled by somebody else.
    void advance(std::size_t count) { size_ += std::min(count, space_.size() - size_); }

    template <typename T>
        requires std::is_integral_v<T>
    void put(T value) {
        put_bytes(std::as_bytes(std::span{&value, 1}));
    }
    void put(std::string_view text) {
        const auto length = static_cast<std::uint16_t>(std::min<std::size_t>(text.size(), 0xffff));
        put(length);
        put_bytes(std::as_bytes(std::span{text.substr(0, length)}));
    }
    void put(const Qid& qid) {
        put(qid.type);
        put(qid.version);
        put(qid.path);
    }
    // Over an integer that was put at `offset` before.
    template <typename T>
        requires std::is_integral_v<T>
    void replace(std::size_t offset, T value) {
        if (offset + sizeof(value) <= size_) {
            std::memcpy(space_.data() + offset, &value, sizeof(value));
        }
    }

private:
    void put_bytes(std::span<const std::byte> bytes) {
        fits_ = fits_ && bytes.size() <= space_.size() - size_;
        if (fits_) {
            std::ranges::copy(bytes, room().begin());
            size_ += bytes.size();
        }
    }

    std::span<std::byte> space_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

} // namespace vmm::share
