// SPDX-License-Identifier: BSD-3-Clause
// MessageReader: the fields of a request, taken one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "share/protocol.hpp"

namespace vmm::share {

// Never reads beyond its bytes, which the guest cannot change: they are a copy. A field that is not
// all there makes everything from it on empty and finished() false.
class MessageReader {
public:
    explicit MessageReader(std::span<const std::byte> body) : rest_{body} {}

    // Whether every field was there and nothing is left.
    [[nodiscard]] bool finished() const { return complete_ && rest_.empty(); }

    // An integer; a text, or bytes, behind their length; a list of texts for a walk.
    template <typename T>
    T take() {
        if constexpr (std::is_integral_v<T>) {
            return integer<T>();
        } else if constexpr (std::is_same_v<T, std::string_view>) {
            const auto bytes = cut(integer<std::uint16_t>());
            return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
        } else if constexpr (std::is_same_v<T, std::span<const std::byte>>) {
            return cut(integer<std::uint32_t>());
        } else {
            static_assert(std::is_same_v<T, std::vector<std::string_view>>);
            return texts();
        }
    }

private:
    template <typename T>
    T integer() {
        T value{};
        if (const auto bytes = cut(sizeof(T)); bytes.size() == sizeof(T)) {
            std::memcpy(&value, bytes.data(), sizeof(T));
        }
        return value;
    }

    std::span<const std::byte> cut(std::size_t count) {
        if (!complete_ || count > rest_.size()) {
            complete_ = false;
            return {};
        }
        const auto bytes = rest_.first(count);
        rest_ = rest_.subspan(count);
        return bytes;
    }

    std::vector<std::string_view> texts() {
        std::vector<std::string_view> result;
        const auto count = integer<std::uint16_t>();
        complete_ = complete_ && count <= most_walk_names;
        for (std::size_t index = 0; complete_ && index < count; ++index) {
            result.push_back(take<std::string_view>());
        }
        return result;
    }

    std::span<const std::byte> rest_;
    bool complete_ = true;
};

} // namespace vmm::share
