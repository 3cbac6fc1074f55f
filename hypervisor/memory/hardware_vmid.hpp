// SPDX-License-Identifier: BSD-3-Clause
// The VMIDs that tag TLB entries, one per active address space.
#pragma once

#include "heap/names.hpp"

#include <cstdint>

namespace hyp {

/// A number 1..255 that no address space has; 8 bits, so that every Armv8 CPU has them. 0 stays
/// free for "no VM". Error: no_resources.
Result<std::uint8_t> allocate_hardware_vmid();

/// No TLB may hold entries with it any more.
void release_hardware_vmid(std::uint8_t vmid);

} // namespace hyp
