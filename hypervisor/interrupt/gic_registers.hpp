// SPDX-License-Identifier: BSD-3-Clause
// Registers of a GICv3's distributor (GICD) and redistributors (GICR), the physical one's and the
// virtual one's (IHI 0069, chapter 12).
#pragma once

#include <cstdint>

namespace hyp::gic_registers {

inline constexpr std::uint64_t gicd_ctlr = 0x0000;
inline constexpr std::uint64_t gicd_typer = 0x0004;
inline constexpr std::uint64_t gicd_iidr = 0x0008;
inline constexpr std::uint64_t gicd_irouter = 0x6000; // from GICD_IROUTER<32> at 0x6100
inline constexpr std::uint64_t pidr2 = 0xffe8;        // in every frame

inline constexpr std::uint32_t ctlr_group0 = 1u << 0;
inline constexpr std::uint32_t ctlr_group1 = 1u << 1;
inline constexpr std::uint32_t ctlr_affinity_routing = 1u << 4;
inline constexpr std::uint32_t ctlr_one_security_state = 1u << 6; // DS
inline constexpr std::uint32_t ctlr_write_pending = 1u << 31;

// Of GICR_RD_base; GICR_SGI_base follows.
inline constexpr std::uint64_t gicr_ctlr = 0x0000;
inline constexpr std::uint64_t gicr_iidr = 0x0004;
inline constexpr std::uint64_t gicr_typer = 0x0008;
inline constexpr std::uint64_t gicr_waker = 0x0014;
inline constexpr std::uint64_t frame_size = 0x10000;

inline constexpr std::uint32_t gicr_ctlr_write_pending = 1u << 3;
inline constexpr std::uint64_t gicr_typer_virtual_lpis = 1u << 1;
inline constexpr std::uint64_t gicr_typer_last = 1u << 4;
inline constexpr unsigned gicr_typer_number_shift = 8;
inline constexpr std::uint32_t waker_processor_sleep = 1u << 1;
inline constexpr std::uint32_t waker_children_asleep = 1u << 2;

// What exists once per interrupt, in GICD for SPIs and in GICR_SGI_base for private interrupts.
inline constexpr std::uint64_t group = 0x0080;
inline constexpr std::uint64_t set_enable = 0x0100;
inline constexpr std::uint64_t clear_enable = 0x0180;
inline constexpr std::uint64_t set_pending = 0x0200;
inline constexpr std::uint64_t clear_pending = 0x0280;
inline constexpr std::uint64_t set_active = 0x0300;
inline constexpr std::uint64_t clear_active = 0x0380;
inline constexpr std::uint64_t priority = 0x0400;
inline constexpr std::uint64_t trigger = 0x0c00;
inline constexpr std::uint64_t group_modifier = 0x0d00;

/// Aff3 to Aff0 as MPIDR_EL1 and GICD_IROUTER<n> have them, and as GICR_TYPER does.
inline constexpr std::uint64_t affinity_mask = 0xff00ffffff;
constexpr std::uint64_t packed_affinity(std::uint64_t affinity) {
    return (affinity >> 8 & 0xff000000) | (affinity & 0xffffff);
}

} // namespace hyp::gic_registers
