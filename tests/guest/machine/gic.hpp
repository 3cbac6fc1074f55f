// SPDX-License-Identifier: BSD-3-Clause
// A plain GICv3 driver (Arm IHI 0069): one security state, Group 1, affinity routing, no LPIs.
#pragma once

#include <cstdint>

namespace test::gic {

inline constexpr std::uint32_t first_ppi = 16;
inline constexpr std::uint32_t first_spi = 32;
inline constexpr std::uint32_t spurious = 1023;
inline constexpr std::uint8_t default_priority = 0xa0;

// Offsets in the distributor, and, in a redistributor's SGI frame, for INTIDs below 32.
inline constexpr std::uint64_t ctlr = 0x0000;
inline constexpr std::uint64_t typer = 0x0004;
inline constexpr std::uint64_t iidr = 0x0008;
inline constexpr std::uint64_t igroupr = 0x0080;
inline constexpr std::uint64_t isenabler = 0x0100;
inline constexpr std::uint64_t icenabler = 0x0180;
inline constexpr std::uint64_t ispendr = 0x0200;
inline constexpr std::uint64_t icpendr = 0x0280;
inline constexpr std::uint64_t isactiver = 0x0300;
inline constexpr std::uint64_t icactiver = 0x0380;
inline constexpr std::uint64_t ipriorityr = 0x0400;
inline constexpr std::uint64_t icfgr = 0x0c00;
inline constexpr std::uint64_t irouter = 0x6000;
inline constexpr std::uint64_t pidr2 = 0xffe8;
inline constexpr std::uint64_t redistributor_typer = 0x0008;
inline constexpr std::uint64_t redistributor_waker = 0x0014;
inline constexpr std::uint64_t redistributor_stride = 0x20000;

/// Enables affinity routing and Group 1; every SPI disabled, idle, Group 1, default priority.
void init_distributor();
/// This CPU's redistributor and CPU interface: awake, SGIs enabled, mask open, EOImode 0.
void init_cpu();

/// Address of the distributor.
std::uint64_t distributor();
/// RD_base of a CPU's redistributor (index as in board().mpidr); fails the check if there is none.
std::uint64_t redistributor(unsigned cpu);
/// The distributor, or the SGI frame of this CPU's redistributor: where `intid` is configured.
std::uint64_t bank(std::uint32_t intid);
/// Number of INTIDs the distributor has, from GICD_TYPER.
std::uint32_t interrupt_lines();

void enable(std::uint32_t intid);
void disable(std::uint32_t intid);
void set_priority(std::uint32_t intid, std::uint8_t priority);
void set_edge(std::uint32_t intid, bool edge);
void route(std::uint32_t spi, std::uint64_t mpidr);
void set_pending(std::uint32_t intid);
void clear_pending(std::uint32_t intid);
void clear_active(std::uint32_t intid);
bool is_enabled(std::uint32_t intid);
bool is_pending(std::uint32_t intid);
bool is_active(std::uint32_t intid);

/// To the CPU with this affinity (Aff0 below 16).
void send_sgi(unsigned sgi, std::uint64_t mpidr);

std::uint32_t acknowledge();
void end_of_interrupt(std::uint32_t intid);
void deactivate(std::uint32_t intid);
void set_priority_mask(std::uint8_t mask);
/// EOImode 1: end_of_interrupt drops the priority, deactivate ends the active state.
void set_split_eoi(bool split);
/// 0xff when no interrupt is being handled.
std::uint8_t running_priority();

} // namespace test::gic
