// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for physical memory: an array at a made-up physical address.
#pragma once

#include "heap/address.hpp"

#include <cstdint>

namespace hyp {

/// Where EL2 sees a physical address. Aborts the test for an address outside the fake RAM.
void* phys_to_virt(PhysAddr address);
PhysAddr virt_to_phys(const void* pointer);

namespace fake {
constexpr PhysAddr ram_base{0x40000000};
constexpr std::uint64_t ram_size = std::uint64_t{512} << 20; // pages appear when touched
} // namespace fake

} // namespace hyp
