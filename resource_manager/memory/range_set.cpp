// SPDX-License-Identifier: BSD-3-Clause
// Set operations on ranges; each rebuilds the list, which has a few dozen entries.
#include "memory/range_set.hpp"

#include <algorithm>

namespace rm {

bool RangeSet::add(Range range) {
    if (range.size == 0 || range.wraps()) {
        return true;
    }
    Vector<Range> result;
    if (!result.reserve(ranges_.size() + 1)) {
        return false;
    }
    bool placed = false;
    for (const Range& old : ranges_) {
        if (old.end() < range.base) {
            (void)result.push_back(old); // capacity was reserved
        } else if (range.end() < old.base) {
            if (!placed) {
                (void)result.push_back(range);
                placed = true;
            }
            (void)result.push_back(old);
        } else {
            const std::uint64_t end = std::max(old.end(), range.end());
            range.base = std::min(old.base, range.base);
            range.size = end - range.base;
        }
    }
    if (!placed) {
        (void)result.push_back(range);
    }
    ranges_ = std::move(result);
    return true;
}

bool RangeSet::remove(const Range& range) {
    if (range.size == 0) {
        return true;
    }
    Vector<Range> result;
    if (!result.reserve(ranges_.size() + 1)) { // only one range can be split
        return false;
    }
    for (const Range& old : ranges_) {
        if (!old.overlaps(range)) {
            (void)result.push_back(old);
            continue;
        }
        if (old.base < range.base) {
            (void)result.push_back(Range{old.base, range.base - old.base});
        }
        if (range.end() < old.end()) {
            (void)result.push_back(Range{range.end(), old.end() - range.end()});
        }
    }
    ranges_ = std::move(result);
    return true;
}

bool RangeSet::overlaps(const Range& range) const {
    return std::any_of(ranges_.begin(), ranges_.end(),
                       [&](const Range& own) { return own.overlaps(range); });
}

Range find_free(std::span<const Range> spaces, const RangeSet& occupied, std::uint64_t size,
                std::uint64_t alignment) {
    for (const Range& space : spaces) {
        std::uint64_t candidate = align_up(space.base, alignment);
        for (const Range& taken : occupied.ranges()) {
            if (taken.overlaps({candidate, size})) {
                candidate = align_up(taken.end(), alignment);
            }
        }
        if (space.contains({candidate, size})) {
            return {candidate, size};
        }
    }
    return {};
}

} // namespace rm
