// SPDX-License-Identifier: BSD-3-Clause
// Physical ranges that are no device memory of any VM: RAM, the hypervisor's devices, its pool.
#pragma once

#include "heap/address.hpp"
#include "heap/names.hpp"

#include <array>
#include <cstddef>

namespace hyp {

/// Filled at boot by one CPU, read-only afterwards, hence no lock.
class Carveouts {
public:
    static constexpr std::size_t max_ranges = 48;

    /// Adds a range, widened to whole pages. Error: no_resources.
    Result<> add(PhysRange range);
    [[nodiscard]] bool overlap(PhysRange range) const;
    /// The first part of `range` outside all carve-outs, as long as possible; size 0: none.
    [[nodiscard]] PhysRange first_outside(PhysRange range) const;

    /// Host tests start from nothing.
    void clear() { count_ = 0; }

private:
    std::array<PhysRange, max_ranges> ranges_{}; // sorted by base
    std::size_t count_ = 0;
};

/// The one list.
Carveouts& carveouts();

} // namespace hyp
