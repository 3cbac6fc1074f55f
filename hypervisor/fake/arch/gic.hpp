// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the GIC's system registers: one set of plain variables per pretended CPU.
#pragma once

#include <arch/cpu.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace hyp::fake {

/// What the system registers of one CPU hold; tests read and change it. The virtual interface does
/// nothing by itself: interrupt/virtual_interface_model.hpp plays the guest's side.
struct GicCpu {
    // Physical interface.
    std::deque<std::uint32_t> pending; // acknowledged from the front
    std::vector<std::uint64_t> dropped, deactivated, sgi1r;
    std::uint64_t ctlr = 0, pmr = 0, bpr1 = 0, igrpen1 = 0;
    bool system_registers = false;
    // Virtual interface.
    std::uint64_t hcr = 0, vmcr = 0;
    std::array<std::uint64_t, 16> lr{};
    std::array<std::uint64_t, 4> ap0r{}, ap1r{};
    unsigned lr_reads = 0, lr_writes = 0;
};

/// The registers of CPU `index`.
GicCpu& gic_cpu(unsigned index);
/// All CPUs as after power-on, with `list_registers` (1..16) and `preemption_bits` (5..7).
void reset_gic(unsigned list_registers = 4, unsigned preemption_bits = 5);

} // namespace hyp::fake

namespace hyp::arch {

std::uint64_t icc_read_iar1();
void icc_write_eoir1(std::uint64_t intid);
void icc_write_dir(std::uint64_t intid);
void icc_write_sgi1r(std::uint64_t value);
bool icc_enable_system_registers();
void icc_write_ctlr(std::uint64_t value);
void icc_write_pmr(std::uint64_t value);
void icc_write_bpr1(std::uint64_t value);
void icc_write_igrpen1(std::uint64_t value);
inline void gic_barrier() {}

std::uint64_t ich_read_vtr();
std::uint64_t ich_read_hcr();
void ich_write_hcr(std::uint64_t value);
std::uint64_t ich_read_vmcr();
void ich_write_vmcr(std::uint64_t value);
std::uint64_t ich_read_elrsr();
inline void ich_barrier() {}
std::uint64_t ich_read_lr(unsigned n);
void ich_write_lr(unsigned n, std::uint64_t value);
std::uint64_t ich_read_ap0r(unsigned n);
void ich_write_ap0r(unsigned n, std::uint64_t value);
std::uint64_t ich_read_ap1r(unsigned n);
void ich_write_ap1r(unsigned n, std::uint64_t value);

} // namespace hyp::arch
