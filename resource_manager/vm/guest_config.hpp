// SPDX-License-Identifier: BSD-3-Clause
// What a guest's device tree asks of RM: the node /gunyah-vm-config, its CPUs and its GIC.
#pragma once

#include "log/refusal.hpp"
#include "memory/range.hpp"
#include "memory/vector.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rm {

/// Memory of the guest that holds the stolen-time structures of its vCPUs (Arm DEN0057): a page of
/// any size that it may use.
inline constexpr std::uint64_t stolen_time_size = 64 * 1024;
inline constexpr std::uint64_t stolen_time_stride = 64;
/// Unmapped addresses below this exit to the VMM; a guest's RAM lies above.
inline constexpr std::uint64_t vmmio_end = std::uint64_t{1} << 30;
/// Largest device tree that RM takes, as the arm64 boot protocol.
inline constexpr std::uint64_t max_dtb_size = std::uint64_t{2} << 20;
/// MPIDR_EL1.Aff0 is the vCPU's index, and the target list of an SGI names 16 of those; more
/// vCPUs need more affinity levels, which RM does not give out.
inline constexpr unsigned max_guest_vcpus = 16;

struct DoorbellConfig {
    std::uint32_t label;
    std::uint32_t spi;      // INTID on the guest's VIC, 32..1019
    std::uint32_t irq_type; // third interrupt cell: 1 rising edge, 4 level high
    bool source_can_clear;  // the creator may clear and mask it (irqfd with LEVEL does)
    std::string_view path;  // "generate": the node to make; empty = /hypervisor/bell-<label>
};

/// Strings refer to the tree that was parsed.
struct GuestConfig {
    std::uint64_t base_address = 0; // where offset 0 of the image parcel is mapped, 2 MiB aligned
    std::optional<std::uint64_t> firmware_address; // of a protected VM: where it starts
    Range distributor;                             // of the GIC, IPA
    Range redistributors;                          // room for cpu_count of them
    std::uint32_t gic_phandle = 0;
    unsigned gic_interrupt_cells = 3;
    unsigned cpu_count = 0; // 1..max_guest_vcpus
    /// True: the creator's vcpu_run schedules the vCPUs. False: the hypervisor does.
    bool proxy_scheduled = false;
    std::array<std::uint32_t, max_guest_vcpus> affinity_map{}; // physical CPU of each vCPU
    unsigned affinity_count = 0;                               // entries given in the tree
    std::int32_t priority_offset = 0; // sched-priority, relative to the default priority
    std::uint32_t timeslice_us = 0;   // 0: the hypervisor's default
    std::uint64_t vcpu_options = 0;   // GH_VCPU_OPTION_EXT_* that vcpus/features names
    bool pv_time = false;             // vcpus/features names it
    std::uint64_t stolen_time = 0;    // IPA of the vCPUs' structures, set by GuestBuilder; 0: none
    std::uint64_t initrd_end = 0;     // /chosen/linux,initrd-end; 0: none
    Vector<DoorbellConfig> doorbells;
    bool watchdog = false;      // the VM has one, which every vCPU may feed
    std::uint32_t bark_spi = 0; // its bark's INTID on the guest's VIC; 0: none
};

/// Reads a tree that is well-formed (rt::FlatTree). Everything in it is hostile; each refusal says
/// what is wrong and where.
RmResult<GuestConfig> parse_guest_config(const Stage& stage, const void* fdt);

} // namespace rm
