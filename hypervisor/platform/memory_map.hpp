// SPDX-License-Identifier: BSD-3-Clause
// RAM and who already uses parts of it, from /memory, /reserved-memory, /chosen and reservations.
#pragma once

#include "platform/device_tree.hpp"
#include "platform/platform.hpp"

namespace hyp {

/// Fills platform.ram and platform.occupied; ranges at or above `limit` are left out.
std::expected<void, PlatformError>
read_memory_map(const DeviceTree& tree, PhysAddr device_tree_address, Platform& platform);

/// Removes a range from a sorted list of disjoint ranges. False if the list has no room to split.
template <std::size_t N>
bool subtract(rt::FixedVector<PhysRange, N>& ranges, PhysRange gone) {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        const PhysRange range = ranges[i];
        if (!range.overlaps(gone)) {
            continue;
        }
        const PhysRange before{range.base, gone.base > range.base ? gone.base - range.base : 0};
        const PhysRange behind{gone.end(), range.end() > gone.end() ? range.end() - gone.end() : 0};
        if (before.size != 0 && behind.size != 0) {
            if (!ranges.push_back(behind)) {
                return false;
            }
            for (std::size_t at = ranges.size() - 1; at > i + 1; --at) {
                std::swap(ranges[at], ranges[at - 1]);
            }
            ranges[i] = before;
        } else if (before.size != 0) {
            ranges[i] = before;
        } else if (behind.size != 0) {
            ranges[i] = behind;
        } else {
            ranges.erase(i--);
        }
    }
    return true;
}

/// The lowest address of `size` bytes, aligned, inside one of `ranges` and free of `occupied`.
std::optional<PhysAddr> find_free(const Platform& platform, std::uint64_t size,
                                  std::uint64_t alignment, PhysAddr not_below);

} // namespace hyp
