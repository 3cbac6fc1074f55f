// SPDX-License-Identifier: BSD-3-Clause
// Where EL2 sees physical memory: all RAM at one offset, read-write and never executable.
#pragma once

#include "heap/address.hpp"

#include <arch/el2_layout.hpp>

namespace hyp {

/// EL2's pointer to RAM. Only pages that boot mapped may be accessed: RAM of the memory map, not
/// what firmware keeps and not the hypervisor's own image.
inline void* phys_to_virt(PhysAddr address) {
    return reinterpret_cast<void*>(address.value + arch::physmap_base);
}

/// The inverse; understands pointers into the physical map and into the hypervisor's image.
inline PhysAddr virt_to_phys(const void* pointer) {
    const auto address = reinterpret_cast<std::uint64_t>(pointer);
    return address >= arch::physmap_base ? PhysAddr{address - arch::physmap_base}
                                         : PhysAddr{address - arch::image_offset()};
}

} // namespace hyp
