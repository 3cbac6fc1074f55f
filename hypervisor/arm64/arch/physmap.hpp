// SPDX-License-Identifier: BSD-3-Clause
// Where EL2 sees physical memory: all RAM at one offset, read-write and never executable.
//
// EL2's virtual address space: 48 bits, one translation table (TTBR0_EL2), by level-0 slots of 512
// GiB.
//
//   0x0000'0000'0000 ..   identity map of the image, only while the MMU is being turned on
//   0x4000'0000'0000 ..   the hypervisor's image at a random page: text RX, rodata R, data RW
//   0x5000'0000'0000      stacks of secondary CPUs, an unmapped guard page below each
//   0x6000'0000'0000      devices and data of firmware
//   0x8000'0000'0000 ..   physical map: PA 0 .. 2^47 - 1
#pragma once

#include "heap/address.hpp"

#include <cstdint>

namespace hyp::arch {

inline constexpr std::uint64_t image_base = 0x4000'0000'0000; // also in hypervisor.lds
inline constexpr std::uint64_t stacks_base = 0x5000'0000'0000;
inline constexpr std::uint64_t devices_base = 0x6000'0000'0000;
inline constexpr std::uint64_t physmap_base = 0x8000'0000'0000;

/// Virtual minus physical address of the image; set once, before the MMU is on.
extern "C" std::uint64_t el2_image_offset;
inline std::uint64_t image_offset() {
    return el2_image_offset;
}

} // namespace hyp::arch

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
