// SPDX-License-Identifier: BSD-3-Clause
// What the firmware's device tree says about the machine: filled once at boot, read-only
// afterwards.
#pragma once

#include "heap/address.hpp"

#include <arch/cpu.hpp>
#include <runtime/fixed_vector.hpp>
#include <runtime/result.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace hyp {

/// An interrupt number of the GIC: 0..15 SGI, 16..31 PPI (per CPU), 32..1019 SPI.
using IntId = std::uint32_t;

struct UartInfo {
    enum class Kind : std::uint8_t { pl011, sbsa, ns16550 };
    Kind kind = Kind::pl011;
    PhysRange registers;
    unsigned register_shift = 0; // ns16550: log2 of the distance between registers
    unsigned register_width = 0; // ns16550: bytes per access, 1 or 4; others: 0
};

struct GicInfo {
    PhysRange distributor;
    rt::FixedVector<PhysRange, 16> redistributors;
    std::uint64_t redistributor_stride = 0; // bytes; 0: contiguous frames, as GICR_TYPER tells
    rt::FixedVector<PhysRange, 8> its;
    IntId maintenance = 0;

    /// `action(PhysRange)` for all registers.
    template <typename Action>
    void for_each_range(const Action& action) const {
        action(distributor);
        std::ranges::for_each(redistributors, action);
        std::ranges::for_each(its, action);
    }
};

struct TimerInfo {
    IntId physical = 0;
    IntId virtual_timer = 0;
    IntId hypervisor = 0;
};

struct Platform {
    static constexpr std::size_t max_ram = 16;
    static constexpr std::size_t max_occupied = 64;

    /// RAM that the hypervisor and VMs may own: page-aligned, sorted, disjoint, not touching;
    /// without what firmware keeps (/reserved-memory nodes with no-map).
    rt::FixedVector<PhysRange, max_ram> ram;
    /// Parts of it that have content or another user: DTB, modules, initrd, memory reservations.
    /// The hypervisor takes no memory there. Page-aligned; may overlap each other.
    rt::FixedVector<PhysRange, max_occupied> occupied;

    /// MPIDR_EL1 affinity fields of each CPU; [0] is the boot CPU.
    rt::FixedVector<std::uint64_t, max_cpus> cpus;
    unsigned cpus_ignored = 0; // listed, but beyond max_cpus or without PSCI
    bool psci = false;         // PSCI 0.2 or later, by SMC

    GicInfo gic;
    TimerInfo timers;
};

/// A sentence for a person: what is missing or wrong in the device tree.
using PlatformError = const char*;

/// Fills `platform` from a flattened device tree of at most `available` bytes that came from
/// outside: any content is safe. `boot_mpidr` is MPIDR_EL1 of the calling CPU.
std::expected<void, PlatformError> read_platform(const void* device_tree, std::uint64_t available,
                                                 PhysAddr device_tree_address,
                                                 std::uint64_t boot_mpidr, Platform& platform);

/// The UART to log to: /chosen stdout-path, or else the first known one. May be called first; says
/// nothing about the rest of the tree.
std::optional<UartInfo> find_uart(const void* device_tree, std::uint64_t available);

/// Total size in bytes that the header of a device tree claims, 0 if it is none or larger than 2
/// MiB (the limit of the arm64 boot protocol). Reads the first 40 bytes only.
std::uint64_t device_tree_size(const void* header);

/// Bits of MPIDR_EL1 that identify a CPU: Aff3 and Aff2..Aff0.
inline constexpr std::uint64_t mpidr_affinity_mask = 0xff'00ff'ffff;

} // namespace hyp
