// SPDX-License-Identifier: BSD-3-Clause
// OutputRing: the last bytes that a guest printed, numbered from its first byte on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vmm {

// One thread at a time.
class OutputRing {
public:
    static constexpr std::size_t capacity = std::size_t{1} << 17;

    // The oldest bytes make room.
    void append(std::span<const std::byte> bytes);

    // Numbers of the oldest byte kept, and of the next one to come.
    [[nodiscard]] std::uint64_t begin() const { return end_ - kept_; }
    [[nodiscard]] std::uint64_t end() const { return end_; }
    // Bytes from number `from` (begin() to end()) on, at most `to.size()`; returns how many.
    [[nodiscard]] std::size_t copy(std::uint64_t from, std::span<std::byte> to) const;

private:
    std::vector<std::byte> bytes_ = std::vector<std::byte>(capacity);
    std::size_t kept_ = 0;
    std::uint64_t end_ = 0;
};

} // namespace vmm
