// SPDX-License-Identifier: BSD-3-Clause
// Creates the primary VM's objects and gives it the machine.
#include "primary/primary_vm.hpp"

#include "device_tree/device_ranges.hpp"
#include "log/log.hpp"

#include <algorithm>

namespace rm {

namespace {

// Every guest vCPU and doorbell takes one; the table grows as it is used.
constexpr std::uint64_t primary_max_caps = 32768;
constexpr unsigned max_spis = dt::last_spi - dt::first_spi + 1;
constexpr unsigned queue_depth = 8;

void must(const char* doing, const rt::Result<>& result) {
    if (!result) {
        fatal("primary VM: {}: {}", doing, result.error());
    }
}

Capability must(const char* doing, rt::Result<Capability> result) {
    if (!result) {
        fatal("primary VM: {}: {}", doing, result.error());
    }
    return std::move(*result);
}

Virq take_virq(VirqAllocator& allocator) {
    const auto number = allocator.take();
    if (!number) {
        fatal("primary VM: no free interrupt for a message queue");
    }
    return {allocator, *number};
}

} // namespace

PrimaryVm::PrimaryVm(const Root& root, LocalInterrupts& interrupts, const RamMap& ram,
                     unsigned cpus, std::size_t hwirq_count)
    : root_(root), interrupts_(interrupts), ram_(ram), cpus_(cpus),
      virqs_(dt::first_spi +
                 static_cast<std::uint32_t>(std::min<std::size_t>(hwirq_count, max_spis)),
             dt::last_spi) {}

void PrimaryVm::create(const gh_rm_boot& boot, std::span<const std::uint64_t> hwirq_caps,
                       const void* dtb) {
    create_spaces();
    create_gic(dtb);
    for (unsigned i = 0; i < cpus_; ++i) {
        create_vcpu(i);
    }
    map_ram();
    map_devices(boot, dtb);
    bind_hwirqs(hwirq_caps);
    create_queue(from_vm_, true);
    create_queue(to_vm_, false);
}

void PrimaryVm::create_spaces() {
    Hypervisor& hypervisor = root_.hypervisor;
    cspace_ = must("creating its capability space", Capability::create(root_, ObjectType::cspace));
    must("configuring its capability space",
         hypervisor.cspace_configure(cspace_.id(), primary_max_caps));
    must("activating its capability space", hypervisor.activate(cspace_.id()));
    addrspace_ =
        must("creating its address space", Capability::create(root_, ObjectType::addrspace));
    must("configuring its address space",
         hypervisor.addrspace_configure(addrspace_.id(), GH_VMID_PRIMARY));
    must("activating its address space", hypervisor.activate(addrspace_.id()));
    vic_ = must("creating its interrupt controller", Capability::create(root_, ObjectType::vic));
    must("configuring its interrupt controller",
         hypervisor.vic_configure(vic_.id(), cpus_, max_spis));
    must("activating its interrupt controller", hypervisor.activate(vic_.id()));
    vpm_group_ = must("creating its power management group",
                      Capability::create(root_, ObjectType::vpm_group));
    must("activating its power management group", hypervisor.activate(vpm_group_.id()));
}

void PrimaryVm::create_gic(const void* dtb) {
    const auto gic = dt::find_gic(dtb, cpus_);
    if (!gic) {
        fatal("the device tree has no GICv3 with one region of {} redistributors", cpus_);
    }
    must("attaching its GIC distributor",
         root_.hypervisor.addrspace_attach_vdevice(addrspace_.id(), vic_.id(), 0,
                                                   gic->distributor.base, dt::distributor_size));
    for (unsigned i = 0; i < cpus_; ++i) {
        must("attaching a GIC redistributor",
             root_.hypervisor.addrspace_attach_vdevice(
                 addrspace_.id(), vic_.id(), i + 1,
                 gic->redistributors.base + i * dt::redistributor_size, dt::redistributor_size));
    }
}

void PrimaryVm::create_vcpu(unsigned index) {
    Hypervisor& hypervisor = root_.hypervisor;
    Capability vcpu = must("creating a vCPU", Capability::create(root_, ObjectType::thread));
    const CapId id = vcpu.id();
    must("configuring a vCPU",
         hypervisor.vcpu_configure(id, GH_VCPU_OPTION_HLOS | GH_VCPU_OPTION_EXT_ALL));
    must("setting a vCPU's physical CPU", hypervisor.vcpu_set_affinity(id, index));
    must("attaching a vCPU to its capability space",
         hypervisor.cspace_attach_thread(cspace_.id(), id));
    must("attaching a vCPU to its address space",
         hypervisor.addrspace_attach_thread(addrspace_.id(), id));
    must("attaching a vCPU to its interrupt controller",
         hypervisor.vic_attach_vcpu(vic_.id(), id, index));
    must("attaching a vCPU to its power management group",
         hypervisor.vpm_group_attach_vcpu(vpm_group_.id(), id, index));
    must("activating a vCPU", hypervisor.activate(id));
    if (!vcpus_.push_back(std::move(vcpu))) {
        fatal("primary VM: no memory for vCPU {}", index);
    }
}

void PrimaryVm::create_queue(Queue& queue, bool vm_sends) {
    Hypervisor& hypervisor = root_.hypervisor;
    queue.queue = must("creating a message queue", Capability::create(root_, ObjectType::msgqueue));
    const CapId id = queue.queue.id();
    must("configuring a message queue",
         hypervisor.msgqueue_configure(id, queue_depth, GH_MSGQUEUE_MAX_MESSAGE_SIZE));
    must("activating a message queue", hypervisor.activate(id));
    queue.vm_irq = take_virq(virqs_);
    const auto own = interrupts_.virqs().take();
    if (!own) {
        fatal("primary VM: RM has no free interrupt for a message queue");
    }
    queue.irq = LocalIrq(interrupts_, *own);
    const std::uint32_t send_irq = vm_sends ? queue.vm_irq.number() : *own;
    const std::uint32_t receive_irq = vm_sends ? *own : queue.vm_irq.number();
    must("binding a message queue's send interrupt",
         hypervisor.msgqueue_bind_send(id, vm_sends ? vic_.id() : root_.vic, send_irq));
    must("binding a message queue's receive interrupt",
         hypervisor.msgqueue_bind_receive(id, vm_sends ? root_.vic : vic_.id(), receive_irq));
    queue.vm_copy =
        must("giving the VM a message queue",
             Capability::copy(root_, id, cspace_.id(),
                              vm_sends ? GH_RIGHT_MSGQUEUE_SEND : GH_RIGHT_MSGQUEUE_RECEIVE));
}

void PrimaryVm::map_ram() {
    for (const Range& range : ram_.ranges()) {
        must("mapping RAM",
             root_.hypervisor.map_piece(addrspace_.id(), ram_.front_piece(range), range.base,
                                        map_attributes(GH_ACCESS_RWX, GH_MAP_MEMTYPE_NORMAL_WB)));
    }
}

void PrimaryVm::map_devices(const gh_rm_boot& boot, const void* dtb) {
    RangeSet devices;
    bool ok = dt::collect_device_ranges(dtb, devices);
    for (const Range& range : ram_.ranges()) {
        ok = ok && devices.remove(range);
    }
    for (std::uint32_t i = 0; i < boot.reserved_count; ++i) {
        ok = ok && devices.remove({boot.reserved[i].base, boot.reserved[i].size});
    }
    if (!ok) {
        fatal("primary VM: no memory for the list of devices");
    }
    for (const Range& range : devices.ranges()) {
        map_device({boot.device_extent_cap}, range);
    }
}

/// The device extent is a basic one, which can be mapped only as a whole: each range becomes an
/// extent of its own. The device extent starts at physical address 0.
void PrimaryVm::map_device(CapId device_extent, const Range& range) {
    Capability extent =
        must("creating a device extent", Capability::create(root_, ObjectType::memextent));
    auto done = root_.hypervisor.memextent_derive(
        extent.id(), device_extent, range.base, range.size,
        extent_attributes(GH_ACCESS_RW, GH_MEMEXTENT_MEMTYPE_DEVICE, GH_MEMEXTENT_TYPE_BASIC));
    done = done ? root_.hypervisor.activate(extent.id()) : done;
    done =
        done ? root_.hypervisor.map_whole(addrspace_.id(), extent.id(), range.base,
                                          map_attributes(GH_ACCESS_RW, GH_MAP_MEMTYPE_DEVICE_NGNRE))
             : done;
    if (!done) {
        // For example a PCI window beyond what the CPUs can address: the rest of the board works.
        log("primary VM: devices at {x} + {x} are not there for it: {}", range.base, range.size,
            done.error());
        return;
    }
    if (!devices_.push_back(std::move(extent))) {
        fatal("primary VM: no memory for a device extent");
    }
}

void PrimaryVm::bind_hwirqs(std::span<const std::uint64_t> hwirq_caps) {
    for (std::size_t i = 0; i < std::min<std::size_t>(hwirq_caps.size(), max_spis); ++i) {
        const CapId cap{hwirq_caps[i]};
        if (!cap.valid()) {
            continue; // the hypervisor keeps this one
        }
        const auto intid = static_cast<std::uint32_t>(dt::first_spi + i);
        const auto bound = root_.hypervisor.hwirq_bind(cap, vic_.id(), intid);
        if (!bound) {
            fatal("primary VM: binding hardware interrupt {}: {}", intid, bound.error());
        }
    }
}

} // namespace rm
