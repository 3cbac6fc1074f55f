// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 TLB maintenance, broadcast to all CPUs (Arm ARM D8.13).
#pragma once

#include "heap/address.hpp"

#include <cstdint>

namespace hyp {

/// Makes entries that were invalid before visible to the table walkers of all CPUs.
inline void stage2_publish() {
    asm volatile("dsb ishst\n\tisb" : : : "memory");
}

/// The order of changes is checked in the host build, by hypervisor/fake/tlb.cpp.
inline void check_stage2_write(const std::uint64_t&, std::uint64_t) {}

/// Forgets translations of [ipa, ipa + size) of the VM whose VMID is in `vttbr`, on all CPUs. The
/// entries in memory must be changed already. Returns when no CPU uses the old ones any more.
void stage2_invalidate_range(std::uint64_t vttbr, Ipa ipa, std::uint64_t size);

/// Forgets all translations of that VM, on all CPUs.
void stage2_invalidate_all(std::uint64_t vttbr);

} // namespace hyp
