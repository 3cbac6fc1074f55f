// SPDX-License-Identifier: BSD-3-Clause
// The primary VM's RAM: which range belongs to which root memory extent. IPA = physical address.
#pragma once

#include "calls/hypervisor.hpp"
#include "memory/range.hpp"
#include "memory/vector.hpp"

#include <abi/rm_boot.h>

#include <array>

namespace rm {

class RamMap {
public:
    /// Precondition (panic): at most GH_RM_BOOT_MAX_RAM ranges.
    void add(const Range& range, CapId extent);

    [[nodiscard]] std::span<const Range> ranges() const { return std::span(ranges_).first(count_); }
    [[nodiscard]] CapId extent(std::size_t index) const { return extents_[index]; }

    /// The part of `range` that lies in one extent, starting at range.base; size 0 when the base
    /// is no RAM.
    [[nodiscard]] ExtentPiece front_piece(const Range& range) const;
    /// True when all of it is RAM.
    [[nodiscard]] bool contains(Range range) const;
    /// IPA of a piece that front_piece() gave.
    [[nodiscard]] std::uint64_t ipa_of(const ExtentPiece& piece) const;

private:
    [[nodiscard]] std::size_t index_of(CapId extent) const;

    std::array<Range, GH_RM_BOOT_MAX_RAM> ranges_{};
    std::array<CapId, GH_RM_BOOT_MAX_RAM> extents_{};
    std::size_t count_ = 0;
};

} // namespace rm
