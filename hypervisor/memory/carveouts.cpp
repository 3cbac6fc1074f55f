// SPDX-License-Identifier: BSD-3-Clause
// A short sorted list of physical ranges.
#include "memory/carveouts.hpp"

#include <algorithm>

namespace hyp {

Carveouts& carveouts() {
    static constinit Carveouts instance;
    return instance;
}

Result<> Carveouts::add(PhysRange range) {
    RT_FAIL_IF(count_ == max_ranges, Error::no_resources);
    const PhysAddr base = range.base.page();
    std::size_t place = count_++;
    for (; place != 0 && base < ranges_[place - 1].base; --place) {
        ranges_[place] = ranges_[place - 1];
    }
    ranges_[place] = {base, align_up(range.end().value, page_size) - base.value};
    return {};
}

bool Carveouts::overlap(PhysRange range) const {
    return std::any_of(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(count_),
                       [&](const PhysRange& carveout) { return carveout.overlaps(range); });
}

PhysRange Carveouts::first_outside(PhysRange range) const {
    PhysAddr start = range.base;
    for (std::size_t i = 0; i < count_; ++i) {
        if (ranges_[i].base > start) {
            const PhysAddr end = std::min(range.end(), ranges_[i].base);
            return start < end ? PhysRange{start, end - start} : PhysRange{};
        }
        start = std::max(start, ranges_[i].end());
    }
    return start < range.end() ? PhysRange{start, range.end() - start} : PhysRange{};
}

} // namespace hyp
