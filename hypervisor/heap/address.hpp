// SPDX-License-Identifier: BSD-3-Clause
// Physical, intermediate physical and EL2 virtual addresses as types that do not mix.
#pragma once

#include <compare>
#include <cstdint>

namespace hyp {

constexpr unsigned page_shift = 12;
constexpr std::uint64_t page_size = std::uint64_t{1} << page_shift;

/// True if `value` is a multiple of `alignment` (a power of two).
constexpr bool is_aligned(std::uint64_t value, std::uint64_t alignment) {
    return (value & (alignment - 1)) == 0;
}
constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
    return value & ~(alignment - 1);
}
/// The caller knows that rounding up does not wrap.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return align_down(value + alignment - 1, alignment);
}
/// True if [base, base + size) runs past the end of 64-bit addresses.
constexpr bool range_wraps(std::uint64_t base, std::uint64_t size) {
    return base + size < base;
}
/// True if [offset, offset + inner) lies in [0, outer); no input makes it overflow.
constexpr bool range_within(std::uint64_t offset, std::uint64_t inner, std::uint64_t outer) {
    return offset <= outer && inner <= outer - offset;
}

/// An address in bytes. Only differences and offsets are plain numbers.
template <typename Space>
struct Address {
    std::uint64_t value = 0;

    constexpr auto operator<=>(const Address&) const = default;
    constexpr Address operator+(std::uint64_t bytes) const { return {value + bytes}; }
    constexpr Address operator-(std::uint64_t bytes) const { return {value - bytes}; }
    constexpr std::uint64_t operator-(Address other) const { return value - other.value; }
    constexpr Address& operator+=(std::uint64_t bytes) {
        value += bytes;
        return *this;
    }
    [[nodiscard]] constexpr bool aligned_to(std::uint64_t alignment) const {
        return is_aligned(value, alignment);
    }
    [[nodiscard]] constexpr bool page_aligned() const { return aligned_to(page_size); }
    [[nodiscard]] constexpr Address page() const { return {align_down(value, page_size)}; }
    [[nodiscard]] constexpr std::uint64_t offset_in_page() const { return value % page_size; }
};

/// What the memory bus sees.
using PhysAddr = Address<struct PhysicalSpace>;
/// Intermediate physical address: what a VM believes to be physical; input of stage 2.
using Ipa = Address<struct IntermediateSpace>;
/// A VM's own virtual address (input of its stage 1).
using VirtAddr = Address<struct GuestVirtualSpace>;

/// A range of addresses; empty if size is zero.
template <typename A>
struct Range {
    A base;
    std::uint64_t size = 0;

    constexpr bool operator==(const Range&) const = default;
    [[nodiscard]] constexpr A end() const { return base + size; }
    [[nodiscard]] constexpr bool contains(A address) const {
        return address >= base && address - base < size;
    }
    [[nodiscard]] constexpr bool contains(const Range& inner) const {
        return inner.base >= base && range_within(inner.base - base, inner.size, size);
    }
    [[nodiscard]] constexpr bool overlaps(const Range& other) const {
        return base < other.end() && other.base < end() && size != 0 && other.size != 0;
    }
};
using PhysRange = Range<PhysAddr>;
using IpaRange = Range<Ipa>;

} // namespace hyp
