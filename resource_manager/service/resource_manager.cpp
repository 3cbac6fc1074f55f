// SPDX-License-Identifier: BSD-3-Clause
// Puts the parts together, boots the primary VM, and serves.
#include "service/resource_manager.hpp"

#include "log/log.hpp"

namespace rm {

namespace {

CapId checked_partition(const gh_rm_boot& boot) {
    if (boot.magic != GH_RM_BOOT_MAGIC || boot.version != GH_RM_BOOT_VERSION) {
        fatal("the hypervisor's boot data has magic {x} version {}, RM knows {x} version {}",
              boot.magic, boot.version, GH_RM_BOOT_MAGIC, GH_RM_BOOT_VERSION);
    }
    if (boot.cpu_count == 0 || boot.cpu_count > std::size(boot.cpu_mpidr) || boot.ram_count == 0 ||
        boot.ram_count > GH_RM_BOOT_MAX_RAM || boot.reserved_count > GH_RM_BOOT_MAX_RESERVED) {
        fatal("the hypervisor's boot data names {} CPUs, {} RAM and {} reserved ranges",
              boot.cpu_count, boot.ram_count, boot.reserved_count);
    }
    return CapId{boot.partition_cap};
}

template <typename T>
std::unique_ptr<T> owned(T* object) {
    if (object == nullptr) {
        fatal("no memory to boot with");
    }
    return std::unique_ptr<T>(object);
}

} // namespace

RamMap ResourceManager::read_ram(const gh_rm_boot& boot) {
    RamMap ram;
    for (std::uint32_t i = 0; i < boot.ram_count; ++i) {
        ram.add({boot.ram[i].range.base, boot.ram[i].range.size}, CapId{boot.ram[i].extent_cap});
    }
    return ram;
}

ResourceManager::ResourceManager(const gh_rm_boot& boot, const Machine& machine)
    : hypervisor_(machine.hypervisor), interrupts_(machine.interrupts),
      root_{.hypervisor = machine.hypervisor,
            .partition = checked_partition(boot), // the first use of the boot data
            .cspace = CapId{boot.cspace_cap},
            .addrspace = CapId{boot.addrspace_cap},
            .vic = CapId{boot.vic_cap}},
      ram_(read_ram(boot)),
      window_(root_, machine.window_ipa, machine.window_size, machine.window_view),
      parcels_(root_, ram_, vms_), vms_(GH_VMID_PRIMARY),
      service_(root_, vms_, parcels_, GH_VMID_PRIMARY) {}

void ResourceManager::boot(const gh_rm_boot& boot, std::span<const std::uint64_t> hwirq_caps,
                           const void* dtb) {
    primary_ = owned(new (std::nothrow)
                         PrimaryVm(root_, interrupts_, ram_, boot.cpu_count, hwirq_caps.size()));
    primary_->create(boot, hwirq_caps, dtb);
    parcels_.set_owner_addrspace(primary_->addrspace());
    means_ = owned(new (std::nothrow) GuestMeans{.root = root_,
                                                 .interrupts = interrupts_,
                                                 .peer = primary_->peer(),
                                                 .physical_cpus = boot.cpu_count});
    builder_ = owned(new (std::nothrow) GuestBuilder(*means_, parcels_, window_));
    vms_.set_builder(*builder_);
    channel_ = owned(new (std::nothrow) Channel(hypervisor_, primary_->queue_to_vm(),
                                                primary_->queue_from_vm(), GH_VMID_PRIMARY));
    primary_->start(boot, dtb, window_);
}

void ResourceManager::on_interrupt(std::uint32_t intid) {
    // The queues are looked at in any case.
    if (intid < noted_.size() && intid != primary_->send_irq() &&
        intid != primary_->receive_irq()) {
        noted_.set(intid);
        any_noted_ = true;
    }
}

bool ResourceManager::work() {
    channel_->serve(service_); // also sends what waits: makes room for notifications
    if (!any_noted_) {
        return false;
    }
    for (std::uint32_t intid = 0; intid < noted_.size(); ++intid) {
        if (noted_.test(intid) && channel_->can_notify()) {
            noted_.reset(intid);
            vms_.on_halt(intid, hypervisor_, *channel_);
        }
    }
    any_noted_ = noted_.any();
    return any_noted_;
}

} // namespace rm
