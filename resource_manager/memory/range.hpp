// SPDX-License-Identifier: BSD-3-Clause
// A range of addresses and the few questions that RM asks about one.
#pragma once

#include <bit>
#include <cstdint>

namespace rm {

inline constexpr std::uint64_t page_size = 4096;

constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
    return value & ~(alignment - 1);
}
/// Precondition: value <= 2^64 - alignment.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return align_down(value + alignment - 1, alignment);
}
constexpr bool is_aligned(std::uint64_t value, std::uint64_t alignment) {
    return (value & (alignment - 1)) == 0;
}

/// [base, base + size), bytes. Invariant where used: it does not wrap (see wraps()).
struct Range {
    std::uint64_t base = 0;
    std::uint64_t size = 0;

    [[nodiscard]] constexpr std::uint64_t end() const { return base + size; }
    [[nodiscard]] constexpr bool wraps() const { return base + size < base; }
    [[nodiscard]] constexpr bool contains(const Range& other) const {
        return other.base >= base && other.size <= size && other.base - base <= size - other.size;
    }
    [[nodiscard]] constexpr bool overlaps(const Range& other) const {
        return base < other.end() && other.base < end();
    }
    constexpr bool operator==(const Range&) const = default;
};

static_assert(Range{0, 16}.contains({8, 8}) && !Range{0, 16}.contains({8, 9}));
static_assert(Range{0, 8}.overlaps({7, 1}) && !Range{0, 8}.overlaps({8, 1}));

} // namespace rm
