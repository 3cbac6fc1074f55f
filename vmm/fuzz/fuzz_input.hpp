// SPDX-License-Identifier: BSD-3-Clause
// FuzzInput: the fuzzer's bytes, taken from front to back; zeroes when they have run out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace vmm::fuzz {

class FuzzInput {
public:
    FuzzInput(const std::uint8_t* data, std::size_t size)
        : rest_{std::as_bytes(std::span{data, size})} {}

    [[nodiscard]] bool empty() const { return rest_.empty(); }

    template <typename T>
        requires std::is_trivially_copyable_v<T>
    T take() {
        T value{};
        const auto bytes = take_bytes(sizeof(T));
        std::memcpy(&value, bytes.data(), bytes.size());
        return value;
    }
    // At most `most` bytes.
    std::span<const std::byte> take_bytes(std::size_t most) {
        const auto bytes = rest_.first(std::min(most, rest_.size()));
        rest_ = rest_.subspan(bytes.size());
        return bytes;
    }

private:
    std::span<const std::byte> rest_;
};

} // namespace vmm::fuzz
