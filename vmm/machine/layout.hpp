// SPDX-License-Identifier: BSD-3-Clause
// The guest's physical address space and interrupt numbers. Everything else takes them from here.
//
//   0x0900_0000  PL011                       below 1 GiB an access to an unmapped address
//   0x0901_0000  PL031, the clock            comes back to the VMM
//   0x0902_0000  PL061, the power button
//   0x0903_0000  SP805, the watchdog
//   0x0a00_0000  virtio-mmio, 0x200 each
//   ....._....   GICv3 redistributors, 0x20000 per vCPU, up to the distributor
//   0x3fff_0000  GICv3 distributor
//   0x8000_0000  RAM: kernel at its base; initrd, then the device tree at its end
#pragma once

#include <cstdint>

namespace vmm::layout {

constexpr std::uint64_t pl011_base = 0x0900'0000;
constexpr std::uint64_t pl031_base = 0x0901'0000;
constexpr std::uint64_t pl061_base = 0x0902'0000;
constexpr std::uint64_t sp805_base = 0x0903'0000;
constexpr std::uint64_t virtio_base = 0x0a00'0000;
constexpr std::uint64_t virtio_stride = 0x200;

constexpr std::uint64_t distributor_base = 0x3fff'0000;
constexpr std::uint64_t distributor_size = 0x1'0000;
constexpr std::uint64_t redistributor_size = 0x2'0000;

// The Resource Manager enters the guest at the first byte of RAM.
constexpr std::uint64_t ram_base = 0x8000'0000;
constexpr std::uint64_t ram_alignment = 0x20'0000;

constexpr std::uint32_t max_cpus = 16; // one GICv3 affinity level, one redistributor each
constexpr std::uint32_t max_disks = 16;
constexpr std::uint32_t max_shares = 8;
constexpr std::uint32_t max_consoles = 8;
constexpr std::uint32_t max_networks = 8;

// The line of the PL061 that the power button is on.
constexpr std::uint32_t power_button_line = 0;

// Shared peripheral interrupts, counted from 0 as device trees do (INTID = 32 + SPI).
constexpr std::uint32_t pl011_spi = 0;
constexpr std::uint32_t pl061_spi = 1;
constexpr std::uint32_t pl031_spi = 2;
constexpr std::uint32_t first_virtio_spi = 3;
// The doorbell behind an SPI has the interrupt's INTID as its label: never 0.
constexpr std::uint32_t doorbell_label(std::uint32_t spi) {
    return 32 + spi;
}

// Private peripheral interrupts of the architected timer, counted from 0 (INTID = 16 + PPI).
constexpr std::uint32_t timer_secure_ppi = 13;
constexpr std::uint32_t timer_physical_ppi = 14;
constexpr std::uint32_t timer_virtual_ppi = 11;
constexpr std::uint32_t timer_hypervisor_ppi = 10;
// Of the performance counters (Arm DEN0094, Base System Architecture).
constexpr std::uint32_t counter_overflow_ppi = 7;

} // namespace vmm::layout
