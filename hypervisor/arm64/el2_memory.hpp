// SPDX-License-Identifier: BSD-3-Clause
// EL2's address space while it runs: adds RAM, devices and stacks to the tables that head.S turned
// on.
#pragma once

#include "heap/address.hpp"

#include <cstdint>

namespace hyp::arch {

/// Makes RAM accessible through phys_to_virt(). Page-aligned; must not be mapped yet. Panics when
/// table pages run out or something is mapped there. Boot CPU only, before VMs run.
void map_ram(PhysRange range);

/// Maps data of firmware read-only, beside the physical map; the pointer to range.base, which need
/// not be page-aligned. Boot CPU only, never unmapped.
const void* map_firmware_data(PhysRange range);

/// Maps device registers (Device-nGnRE, not executable) and returns the pointer to `base`, which
/// need not be page-aligned. Boot CPU only, before VMs run. Never unmapped.
void* map_device(PhysAddr base, std::uint64_t size);

/// Maps `size` bytes of RAM as a stack with an unmapped page below; returns its top.
std::uint64_t map_stack(PhysAddr base, std::uint64_t size);

/// From now on table pages come from `allocate` (a zeroed page or nullptr) instead of the few pages
/// in the image.
void set_table_allocator(void* (*allocate)());

/// Removes the identity map of the image, once no CPU will turn its MMU on any more.
void remove_identity_map();

/// Physical address of the tables, for the other CPUs.
std::uint64_t el2_tables_root();

/// The image in memory, with all it reserves (zeroed data, first stack).
PhysRange image_range();

/// Chooses the address, by a seed in the device tree or the machine's own entropy, and adjusts the
/// image to it: image_base itself where there is neither. Once, with the MMU off.
std::uint64_t place_image(const void* device_tree);

} // namespace hyp::arch
