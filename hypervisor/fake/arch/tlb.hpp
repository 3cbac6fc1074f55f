// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for TLB maintenance: it checks that entries change in the order that TLBs need.
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

/// Called before `entry` of a stage-2 table becomes `value`. Ends the program if that breaks the
/// rules of break-before-make.
void check_stage2_write(const std::uint64_t& entry, std::uint64_t value);

namespace fake {
/// Called before a page is given back: no TLB may lead to it as to a table.
void check_stage2_release(const void* page);
/// True if TLBs hold nothing of this CPU's changes that the tables do not say any more.
bool stage2_settled();
/// Called at each invalidation; size is ~0 for "all". Empty: nobody listens.
extern std::function<void(std::uint64_t vttbr, Ipa ipa, std::uint64_t size)> on_invalidate;
} // namespace fake

} // namespace hyp
