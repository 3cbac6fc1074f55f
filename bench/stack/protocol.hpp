// SPDX-License-Identifier: BSD-3-Clause
// What the measuring guest and its VMM agree on: one page of device registers, one of memory.
#pragma once

#include <array>
#include <cstdint>

namespace bench {

// The guest's address space, as the VMM's device tree describes it (vmm/machine/layout.hpp).
inline constexpr std::uint64_t ram_base = 0x8000'0000;
inline constexpr std::uint64_t device_base = 0x0b00'0000;
inline constexpr std::uint64_t device_size = 0x1000;
inline constexpr std::uint64_t distributor = 0x3fff'0000;
inline constexpr std::uint64_t redistributors = distributor - 2 * 0x2'0000ULL;
inline constexpr std::uint32_t device_spi = 1;

/// Registers of the bench device, all 4 bytes wide, as offsets from device_base.
enum Register : std::uint64_t {
    reg_echo = 0x00,       // write: nothing happens; read: 0
    reg_ring_now = 0x08,   // write: the VMM stamps and rings before it goes on with the vCPU
    reg_ring_later = 0x10, // write: another thread does so when the guest has long been in WFI
    reg_report = 0x18,     // write of a Row: its samples are complete
    reg_done = 0x20,       // write: there is no more to come
    reg_event = 0x100,     // write: an ioeventfd
};

/// What the guest is to do.
enum Task : std::uint64_t { task_start_only = 0, task_measure = 1 };

/// What is measured, in the order of row_names.
enum Row : std::uint32_t {
    row_empty, // two readings of the counter: subtracted from all others
    row_mmio_write,
    row_mmio_read,
    row_ioeventfd,
    row_irqfd_in_exit,
    row_irqfd_beyond_exit, // with the whole access, less row_mmio_write
    row_irqfd_in_wfi,
    row_irqfd_write_busy, // the write alone, to a vCPU in WFI that then goes on for long
    row_timer_in_wfi,
    row_timer_while_busy,
    row_sgi_self,
    row_sgi_in_wfi,
    row_sgi_ping_pong,
    row_hypercall,
    row_gicd_read,
    row_count,
};

inline constexpr std::array<const char*, row_count> row_names{
    "empty",         "mmio_write",        "mmio_read",    "ioeventfd",
    "irqfd_in_exit", "irqfd_beyond_exit", "irqfd_in_wfi", "irqfd_write_busy",
    "timer_in_wfi",  "timer_busy",        "sgi_self",     "sgi_in_wfi",
    "sgi_ping_pong", "psci_version",      "gicd_typer",
};

inline constexpr unsigned most_samples = 4096;

/// In guest memory at control_offset; the VMM fills in `task` before the start.
struct Control {
    std::uint64_t task;
    std::uint64_t first_instruction;   // counter at the guest's entry
    volatile std::uint64_t stamp;      // counter right before the VMM rings
    volatile std::uint64_t handled[2]; // counter at the entry of each vCPU's last interrupt
    volatile std::uint64_t interrupts[2];
    volatile std::uint64_t second_ready;
    volatile std::uint64_t rung; // counter after the VMM has rung
    std::uint64_t count;
    std::uint32_t samples[most_samples];
};
inline constexpr std::uint64_t control_offset = 0x10'0000;

} // namespace bench
