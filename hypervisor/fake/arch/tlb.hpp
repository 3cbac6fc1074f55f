// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for TLB maintenance: it writes down what was invalidated.
#pragma once

#include "heap/address.hpp"

#include <cstdint>
#include <functional>

namespace hyp {

/// Makes entries that were invalid before visible to the table walkers.
void stage2_publish();
/// Forgets translations of [ipa, ipa + size) of the VM whose VMID is in `vttbr`, on all CPUs.
void stage2_invalidate_range(std::uint64_t vttbr, Ipa ipa, std::uint64_t size);
/// Forgets all translations of that VM, on all CPUs.
void stage2_invalidate_all(std::uint64_t vttbr);

namespace fake {
/// Called at each invalidation; size is ~0 for "all". Empty: nobody listens.
extern std::function<void(std::uint64_t vttbr, Ipa ipa, std::uint64_t size)> on_invalidate;
} // namespace fake

} // namespace hyp
