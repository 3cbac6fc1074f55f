// SPDX-License-Identifier: BSD-3-Clause
// The first VM: objects, capabilities, boot data, and its one vCPU on CPU 0.
#include "boot/root_vm.hpp"

#include "boot/cpu_startup.hpp"
#include "boot/random_seed.hpp"
#include "boot/required.hpp"
#include "boot/resource_manager_memory.hpp"
#include "boot/root_memory.hpp"
#include "interrupt/gicv3.hpp"
#include "interrupt/hwirq.hpp"
#include "interrupt/vic.hpp"
#include "memory/address_space.hpp"
#include "memory/partition.hpp"
#include "object/cspace.hpp"
#include "schedule/scheduler.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>
#include <abi/rm_boot.h>
#include <abi/rm_rpc.h>

#include <algorithm>

namespace hyp {

namespace {

// Above every other VM: RM's work is short, and others wait for it.
constexpr std::uint64_t resource_manager_priority = GH_VCPU_PRIORITY_MAX - 1;

/// What the Resource Manager consists of. Its objects live for ever.
struct RootVm {
    Ref<Cspace> cspace;
    Ref<AddressSpace> address_space;
    Ref<MemExtent> memory;
    Ref<Vic> vic;
    Ref<Vcpu> vcpu;

    CapId give(Ref<Object> object) const {
        return required(cspace->insert(std::move(object), GH_RIGHTS_ALL),
                        "give the Resource Manager a capability");
    }
};

Ref<Vcpu> make_vcpu(const RootVm& vm) {
    auto vcpu = required_object<Vcpu>(scheduler());
    required(vcpu->configure(0), "configure the vCPU");
    required(vcpu->attach_cspace(vm.cspace), "attach the capability space");
    required(vcpu->attach_address_space(vm.address_space), "attach the address space");
    required(vcpu->attach_vic(*vm.vic, 0), "attach the vCPU to its virtual GIC");
    vcpu->set_affinity(0);
    required(vcpu->set_priority(resource_manager_priority), "set the vCPU's priority");
    required(vcpu->activate(), "activate the vCPU");
    return vcpu;
}

RootVm make_root_vm(PhysRange memory) {
    RootVm vm;
    vm.cspace = required_active<Cspace>("make the capability space", Cspace::capabilities_limit);
    vm.address_space = required_active<AddressSpace>("make the address space", GH_VMID_RM);
    vm.memory = make_resource_manager_extent(memory);
    const MapAttributes all{GH_ACCESS_RWX, GH_ACCESS_RWX, MemoryType::normal_writeback};
    required(vm.address_space->map(*vm.memory, Ipa{GH_RM_IPA_BASE}, all, {}),
             "map the Resource Manager's memory");
    vm.vic = required_active<Vic>("make the virtual GIC", 1, Vic::shared_virqs_limit);
    vm.vcpu = make_vcpu(vm);
    return vm;
}

void give_memory(const RootVm& vm, const MemoryPlan& plan, gh_rm_boot& boot) {
    for (const PhysRange& range : plan.for_vms) {
        boot.ram[boot.ram_count++] = {{range.base.value, range.size},
                                      vm.give(make_ram_extent(range))};
    }
    boot.device_extent_cap = vm.give(make_device_extent());
}
static_assert(Platform::max_ram <= GH_RM_BOOT_MAX_RAM);

void give_interrupts(const RootVm& vm, ResourceManagerMemory& memory) {
    constexpr std::uint32_t first_spi = 32;
    const std::uint32_t count = gic().spi_limit() - first_spi;
    const std::span<std::uint64_t> caps = memory.add_interrupt_capabilities(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const Ref<HwIrq> line = required_object<HwIrq>(first_spi + i);
        required(line->activate(), "activate a hardware interrupt");
        caps[i] = vm.give(line);
    }
}

void add_reserved(gh_rm_boot& boot, PhysRange range) {
    gh_rm_boot_range* last =
        boot.reserved_count == 0 ? nullptr : &boot.reserved[boot.reserved_count - 1];
    if (last != nullptr && last->base + last->size == range.base.value) {
        last->size += range.size;
    } else if (boot.reserved_count < GH_RM_BOOT_MAX_RESERVED) {
        boot.reserved[boot.reserved_count++] = {range.base.value, range.size};
    } else {
        log("  the Resource Manager does not hear of reserved {}", range.base);
    }
}

void describe_machine(const Machine& machine, gh_rm_boot& boot) {
    for (const PhysRange& kept :
         {machine.memory.image, machine.memory.pool, machine.memory.resource_manager}) {
        add_reserved(boot, kept);
    }
    const GicInfo& gic_info = machine.platform.gic;
    gic_info.for_each_range([&](PhysRange registers) { add_reserved(boot, registers); });
    boot.flags = gic_info.its.empty() ? 0 : GH_RM_BOOT_FLAG_ITS;
    boot.dtb_pa = machine.device_tree.base.value;
    boot.cpu_count = cpus_running();
    for (unsigned cpu = 0; cpu < cpus_running(); ++cpu) {
        boot.cpu_mpidr[cpu] = cpu_mpidr(cpu);
    }
}
static_assert(max_cpus <= std::extent_v<decltype(gh_rm_boot::cpu_mpidr)>);

void give_itself(const RootVm& vm, gh_rm_boot& boot) {
    const Ref<Partition> partition = required_object<Partition>();
    required(partition->activate(), "activate the root partition");
    boot.partition_cap = vm.give(partition);
    boot.cspace_cap = vm.give(vm.cspace);
    boot.addrspace_cap = vm.give(vm.address_space);
    boot.vcpu_cap = vm.give(vm.vcpu);
    boot.vic_cap = vm.give(vm.vic);
}

} // namespace

void start_root_vm(const Machine& machine) {
    static constinit RootVm vm;
    claim_memory(machine);
    vm = make_root_vm(machine.memory.resource_manager);

    ResourceManagerMemory memory(machine.memory.resource_manager);
    gh_rm_boot& boot = memory.boot();
    describe_machine(machine, boot);
    give_itself(vm, boot);
    give_memory(vm, machine.memory, boot);
    give_interrupts(vm, memory);
    take_random_seeds(machine, memory.add_device_tree(machine.device_tree_mapped));
    memory.finish();

    log("starting the resource manager");
    required(vm.vcpu->power_on(GH_RM_IPA_BASE, memory.boot_address().value, 0),
             "start the Resource Manager's vCPU");
}

} // namespace hyp
