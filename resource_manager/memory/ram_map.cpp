// SPDX-License-Identifier: BSD-3-Clause
// Look-ups between the primary VM's addresses and offsets in root extents.
#include "memory/ram_map.hpp"

#include <runtime/panic.hpp>

#include <algorithm>

namespace rm {

void RamMap::add(const Range& range, CapId extent) {
    rt::ensure(count_ < ranges_.size(), "RamMap: too many RAM ranges");
    ranges_[count_] = range;
    extents_[count_] = extent;
    ++count_;
}

ExtentPiece RamMap::front_piece(const Range& range) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (range.base >= ranges_[i].base && range.base - ranges_[i].base < ranges_[i].size) {
            const std::uint64_t offset = range.base - ranges_[i].base;
            return {.extent = extents_[i],
                    .offset = offset,
                    .size = std::min(range.size, ranges_[i].size - offset)};
        }
    }
    return {};
}

bool RamMap::contains(Range range) const {
    while (range.size != 0) {
        const ExtentPiece piece = front_piece(range);
        if (piece.size == 0) {
            return false;
        }
        range = {range.base + piece.size, range.size - piece.size};
    }
    return true;
}

std::size_t RamMap::index_of(CapId extent) const {
    const auto* found = std::find(extents_.begin(), extents_.begin() + count_, extent);
    const auto index = static_cast<std::size_t>(found - extents_.begin());
    rt::ensure(index < count_, "RamMap: unknown extent");
    return index;
}

std::uint64_t RamMap::ipa_of(const ExtentPiece& piece) const {
    return ranges_[index_of(piece.extent)].base + piece.offset;
}

} // namespace rm
