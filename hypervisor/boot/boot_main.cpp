// SPDX-License-Identifier: BSD-3-Clause
// From the first C++ instruction on the boot CPU to the start of the Resource Manager.
#include "arm64/el2_memory.hpp"
#include "boot/cpu_startup.hpp"
#include "boot/machine.hpp"
#include "boot/machine_report.hpp"
#include "boot/root_vm.hpp"
#include "heap/page_allocator.hpp"
#include "hypercall/dispatch.hpp"
#include "interrupt/gicv3.hpp"
#include "memory/ownership.hpp"
#include "memory/stage2.hpp"
#include "platform/console.hpp"
#include "platform/halt.hpp"
#include "schedule/scheduler.hpp"

#include <arch/guest_state.hpp>
#include <arch/sysreg.hpp>
#include <runtime/panic.hpp>
#include <runtime/startup.hpp>

extern "C" [[noreturn]] void guest_enter(hyp::GuestRegisters*);

namespace hyp {

namespace {

constinit Machine the_machine{};

constexpr std::uint64_t header_bytes = 40; // of a flattened device tree

/// Without a device tree there is no console to complain on: the CPU just stops.
void map_device_tree(PhysAddr address) {
    if (address.value == 0 || !address.aligned_to(8)) {
        halt_this_cpu();
    }
    const std::uint64_t size = device_tree_size(arch::map_firmware_data({address, header_bytes}));
    if (size < header_bytes) {
        halt_this_cpu();
    }
    the_machine.device_tree = {address, size};
    the_machine.device_tree_mapped = arch::map_firmware_data(the_machine.device_tree);
}

void attach_console() {
    const auto info = find_uart(the_machine.device_tree_mapped, the_machine.device_tree.size);
    if (info) {
        console().attach(Uart(*info, arch::map_device(info->registers.base, info->registers.size)));
    }
}

void read_machine() {
    const auto read =
        read_platform(the_machine.device_tree_mapped, the_machine.device_tree.size,
                      the_machine.device_tree.base, cpu_mpidr(0), the_machine.platform);
    if (!read) {
        rt::panic(read.error());
    }
    const auto plan = plan_memory(the_machine.platform, arch::image_range());
    if (!plan) {
        rt::panic(plan.error());
    }
    the_machine.memory = *plan;
}

/// The pool first, because the tables for the rest of RAM come from it.
void map_memory() {
    const MemoryPlan& plan = the_machine.memory;
    arch::map_ram(plan.pool);
    if (const auto added = page_allocator().set_pool(plan.pool.base, plan.pool.size); !added) {
        rt::panic("the page allocator refused the pool");
    }
    arch::set_table_allocator([] { return page_allocator().allocate_zeroed(0); });
    arch::map_ram(plan.resource_manager);
    for (const PhysRange& range : plan.for_vms) {
        arch::map_ram(range);
    }
}

void init_interrupts() {
    const GicInfo& info = the_machine.platform.gic;
    std::array<GicRegion, GicV3::max_regions> regions{};
    std::size_t count = 0;
    for (const PhysRange& region : info.redistributors) {
        const void* mapped = arch::map_device(region.base, region.size);
        regions[count++] = {reinterpret_cast<std::uintptr_t>(mapped), region.size};
    }
    const void* distributor = arch::map_device(info.distributor.base, info.distributor.size);
    const auto done = gic().init_distributor(reinterpret_cast<std::uintptr_t>(distributor),
                                             std::span(regions.data(), count), cpu_mpidr(0));
    if (!done) {
        rt::panic("the device tree names a GICv3, but its registers are not one's");
    }
}

void init_this_cpu(unsigned index) {
    if (!gic().init_cpu(index, cpu_mpidr(index))) {
        rt::panic("the GIC has no redistributor for this CPU");
    }
    arch::init_guest_controls(Stage2::vtcr());
}

[[noreturn]] void run_vms() {
    guest_enter(scheduler().resume());
    rt::panic("guest_enter returned");
}

} // namespace

const Machine& machine() {
    return the_machine;
}

void cpu_main(unsigned index) {
    init_this_cpu(index);
    cpu_is_ready();
    run_vms();
}

extern "C" [[noreturn]] void boot_main(std::uint64_t device_tree) {
    init_boot_cpu();
    rt::run_static_constructors();
    rt::seed_stack_guard(arch::counter() * 0x9e37'79b9'7f4a'7c15);
    map_device_tree(PhysAddr{device_tree});
    attach_console();
    log("Gunyah in C++ " GUNYAH_VERSION);
    read_machine();
    map_memory();
    report_machine(the_machine);
    init_interrupts();
    init_this_cpu(0);
    (void)scheduler(); // made by this CPU, before others use it
    const unsigned vector_bytes = arch::sve_vector_bytes();
    start_other_cpus(the_machine.platform);
    if (arch::sve_vector_bytes() != vector_bytes) {
        log("SVE vectors of {} bits instead of {}: not every CPU has more",
            arch::sve_vector_bytes() * 8, vector_bytes * 8);
    }
    for (unsigned cpu = 0; cpu < cpus_running(); ++cpu) {
        scheduler().add_cpu(cpu_mpidr(cpu));
    }
    log("{} of {} CPUs run the hypervisor", cpus_running(),
        the_machine.platform.cpus.size() + the_machine.platform.cpus_ignored);
    init_hypercalls();
    start_root_vm(the_machine);
    run_vms();
}

} // namespace hyp
