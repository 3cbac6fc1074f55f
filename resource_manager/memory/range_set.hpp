// SPDX-License-Identifier: BSD-3-Clause
// A set of addresses as sorted, disjoint, merged ranges.
#pragma once

#include "memory/range.hpp"
#include "memory/vector.hpp"

namespace rm {

class RangeSet {
public:
    /// Adds a range; empty or wrapping ones are ignored. False when there is no memory.
    [[nodiscard]] bool add(Range range);
    /// Takes a range out. False when there is no memory; then some of it may still be in.
    [[nodiscard]] bool remove(const Range& range);
    [[nodiscard]] bool overlaps(const Range& range) const;
    /// Ascending, not touching each other.
    [[nodiscard]] std::span<const Range> ranges() const { return ranges_.span(); }

private:
    Vector<Range> ranges_;
};

/// The lowest address, a multiple of `alignment`, at which `size` bytes lie within one of `spaces`
/// and outside `occupied`; size 0 in the result when there is none.
Range find_free(std::span<const Range> spaces, const RangeSet& occupied, std::uint64_t size,
                std::uint64_t alignment);

} // namespace rm
