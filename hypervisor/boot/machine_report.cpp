// SPDX-License-Identifier: BSD-3-Clause
// A few lines that answer the first questions about a machine.
#include "boot/machine_report.hpp"

#include "platform/console.hpp"

#include <arch/physmap.hpp>
#include <arch/stage2_attributes.hpp>
#include <arch/sysreg.hpp>

extern "C" const char image_start[];

namespace hyp {

namespace {

constexpr std::uint64_t kib = 1024;

void report_range(std::string_view what, const PhysRange& range) {
    log("  {} {} .. {} ({} KiB)", what, range.base, range.end() - 1, range.size / kib);
}

void report_memory(const Machine& machine) {
    for (const PhysRange& range : machine.platform.ram) {
        report_range("RAM", range);
    }
    report_range("hypervisor image", machine.memory.image);
    log("    at {}", reinterpret_cast<std::uint64_t>(image_start) != arch::image_base
                         ? "a random virtual address"
                         : "its link address: no entropy");
    report_range("hypervisor pool", machine.memory.pool);
    report_range("Resource Manager", machine.memory.resource_manager);
}

} // namespace

void report_machine(const Machine& machine) {
    const Platform& platform = machine.platform;
    log("CPU MIDR {x}, {} CPUs, {}-bit physical addresses{}{}{}",
        HYP_READ_SYSREG(midr_el1) & 0xffff'ffff, platform.cpus.size(), physical_address_bits(),
        has_s2fwb() ? ", S2FWB" : "", has_xnx() ? ", XNX" : "", has_bti() ? ", BTI" : "");
    if (platform.cpus_ignored != 0) {
        log("  {} CPUs cannot be used (no PSCI by SMC, or more than {})", platform.cpus_ignored,
            max_cpus);
    }
    report_memory(machine);
    log("  device tree {}, {} bytes", machine.device_tree.base, machine.device_tree.size);
    log("  GICv3 distributor {}, {} redistributor region(s), {} ITS (not for VMs)",
        platform.gic.distributor.base, platform.gic.redistributors.size(), platform.gic.its.size());
    log("  timer interrupts: physical {}, virtual {}, hypervisor {}", platform.timers.physical,
        platform.timers.virtual_timer, platform.timers.hypervisor);
}

} // namespace hyp
