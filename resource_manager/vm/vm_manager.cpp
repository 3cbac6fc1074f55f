// SPDX-License-Identifier: BSD-3-Clause
// The VM_* requests and VM_EXITED (layouts: RM RPC of the v11 series).
#include "vm/vm_manager.hpp"

#include <optional>

namespace rm {

namespace {

// VMIDs below are those of special VMs in the public stack; 16 bits go to the address space.
constexpr std::uint32_t last_vmid = 0x7fff;
constexpr std::uint64_t reset2_is_plain = std::uint64_t{1} << 63; // vcpu_run: PSCI reset type

struct ExitNotice {
    std::array<std::byte, 12> buffer{};
    Writer writer{buffer};

    ExitNotice(const ExitNotice&) = delete;
    ExitNotice& operator=(const ExitNotice&) = delete;
    ExitNotice(std::uint16_t vmid, unsigned type) {
        writer.u16(vmid);
        writer.u16(static_cast<std::uint16_t>(type));
        writer.u32(4); // reason_size
        writer.u32(0);
    }
};

/// VM_EXITED's type, when the state means that the VM has ended.
std::optional<unsigned> exit_type(const VcpuState& state) {
    switch (state.state) {
    case GH_VCPU_STATE_POWERED_OFF:
        return state.data[0] == GH_VCPU_POWEROFF_TERMINATED
                   ? std::optional<unsigned>(GH_RM_EXIT_PLATFORM_OFF)
                   : std::nullopt;
    case GH_VCPU_STATE_PSCI_SYSTEM_RESET:
        return (state.data[0] & reset2_is_plain) != 0 ? GH_RM_EXIT_PLATFORM_RESET
                                                      : GH_RM_EXIT_SYSTEM_RESET2;
    case GH_VCPU_STATE_FAULT:
        return state.data[0] == GH_VCPU_FAULT_WATCHDOG_BITE ? GH_RM_EXIT_WATCHDOG_BITE
                                                            : GH_RM_EXIT_SOFTWARE_ERROR;
    default:
        return std::nullopt;
    }
}

} // namespace

VmManager::~VmManager() {
    while (Vm* vm = vms_.pop_front()) {
        delete vm;
    }
}

Vm* VmManager::find(std::uint32_t vmid) {
    for (Vm& vm : vms_) {
        if (vm.vmid == vmid) {
            return &vm;
        }
    }
    return nullptr;
}

bool VmManager::exists(std::uint32_t vmid) const {
    if (vmid == primary_) {
        return true;
    }
    for (const Vm& vm : vms_) {
        if (vm.vmid == vmid) {
            return true;
        }
    }
    return false;
}

std::uint16_t VmManager::read_vmid(Reader& payload) {
    const std::uint16_t vmid = payload.u16();
    const std::uint16_t reserved = payload.u16();
    return payload.ok() && reserved == 0 ? vmid : std::uint16_t{0};
}

RmResult<Vm*> VmManager::owned_vm(const Stage& stage, std::uint32_t from) {
    Vm* vm = find(stage.vmid);
    if (vm == nullptr || vm->owner != from) {
        return refuse(stage, RmError::vmid_invalid, "the sender {x} has no such VM", from);
    }
    return vm;
}

RmResult<Vm*> VmManager::owned_vm_for(const Stage& stage, std::uint32_t from, VmEvent event) {
    const auto vm = owned_vm(stage, from);
    if (vm && !is_allowed((*vm)->state, event)) {
        return refuse(stage, RmError::vm_state, "the VM is in state {}", name_of((*vm)->state));
    }
    return vm;
}

RmResult<std::uint16_t> VmManager::free_vmid(const Stage& stage, std::uint16_t wanted) const {
    if (wanted != 0) {
        const bool usable =
            wanted >= GH_VMID_FIRST_DYNAMIC && wanted <= last_vmid && wanted != GH_VMID_RM;
        if (!usable) {
            return refuse(stage, RmError::vmid_invalid, "VMIDs for VMs are {x} to {x}",
                          GH_VMID_FIRST_DYNAMIC, last_vmid);
        }
        if (exists(wanted)) {
            return refuse(stage, RmError::in_use, "the VMID is taken");
        }
        return wanted;
    }
    for (std::uint32_t vmid = GH_VMID_FIRST_DYNAMIC; vmid <= last_vmid; ++vmid) {
        if (vmid != GH_VMID_RM && !exists(vmid)) {
            return static_cast<std::uint16_t>(vmid);
        }
    }
    return refuse(stage, RmError::no_resource, "every VMID is taken");
}

RmResult<> VmManager::allocate(std::uint32_t from, Reader payload, Writer& reply) {
    const std::uint16_t wanted = payload.u16();
    const std::uint16_t reserved = payload.u16();
    const Stage stage{wanted, "VM_ALLOC_VMID"};
    if (!payload.finished() || reserved != 0) {
        return refuse(stage, RmError::argument_invalid, "malformed request");
    }
    const auto vmid = free_vmid(stage, wanted);
    if (!vmid) {
        return std::unexpected(vmid.error());
    }
    Vm* vm = new (std::nothrow) Vm(*vmid, from);
    if (vm == nullptr) {
        return refuse(stage, RmError::no_memory, "no memory for a VM");
    }
    vms_.push_back(*vm);
    ++count_;
    if (wanted == 0) {
        reply.u16(*vmid);
        reply.u16(0);
    }
    return {};
}

RmResult<> VmManager::deallocate(std::uint32_t from, Reader payload) {
    const Stage stage{read_vmid(payload), "VM_DEALLOC_VMID"};
    const auto vm = owned_vm_for(stage, from, VmEvent::dealloc);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    remove(**vm);
    return {};
}

void VmManager::remove(Vm& vm) {
    rt::IntrusiveList<Vm, VmTag>::remove(vm);
    --count_;
    delete &vm;
}

void VmManager::end_all(std::uint32_t from) {
    for (auto next = vms_.begin(); next != vms_.end();) {
        Vm& vm = *next;
        ++next;
        if (vm.owner == from) {
            remove(vm); // its objects kill it first
        }
    }
}

RmResult<> VmManager::config_image(std::uint32_t from, Reader payload) {
    const std::uint16_t vmid = payload.u16();
    const std::uint16_t authentication = payload.u16();
    ImageConfig image;
    image.parcel = payload.u32();
    image.image_offset = payload.u64();
    image.image_size = payload.u64();
    image.dtb_offset = payload.u64();
    image.dtb_size = payload.u64();
    const Stage stage{vmid, "VM_CONFIG_IMAGE"};
    if (!payload.finished()) {
        return refuse(stage, RmError::argument_invalid, "malformed request");
    }
    const auto vm = owned_vm_for(stage, from, VmEvent::config_image);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    if (authentication != GH_RM_AUTH_NONE && authentication != GH_RM_AUTH_ANDROID_PVM) {
        return refuse(stage, RmError::unimplemented,
                      "authentication {} is not supported, only 0 (none) and 2 (protected VM)",
                      authentication);
    }
    (*vm)->image = image;
    (*vm)->is_protected = authentication == GH_RM_AUTH_ANDROID_PVM;
    (*vm)->firmware = {};
    (*vm)->exit_reported = false;
    (*vm)->state = VmState::init;
    return {};
}

RmResult<> VmManager::set_firmware(std::uint32_t from, Reader payload) {
    const Stage stage{read_vmid(payload), "VM_SET_FIRMWARE_MEM"};
    FirmwareConfig firmware;
    firmware.parcel = payload.u32();
    firmware.offset = payload.u64();
    firmware.size = payload.u64();
    if (!payload.finished() || firmware.size == 0) {
        return refuse(stage, RmError::argument_invalid, "malformed request, or no size");
    }
    const auto vm = owned_vm_for(stage, from, VmEvent::set_firmware);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    if (!(*vm)->is_protected) {
        return refuse(stage, RmError::denied, "it is no protected VM (authentication 2)");
    }
    (*vm)->firmware = firmware;
    return {};
}

RmResult<> VmManager::initialise(std::uint32_t from, Reader payload) {
    const Stage stage{read_vmid(payload), "VM_INIT"};
    const auto vm = owned_vm_for(stage, from, VmEvent::initialise);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    const auto built = builder_->build(stage, **vm);
    (*vm)->state = built ? VmState::ready : VmState::init_failed;
    return built;
}

RmResult<> VmManager::start(std::uint32_t from, Reader payload) {
    const Stage stage{read_vmid(payload), "VM_START"};
    const auto vm = owned_vm_for(stage, from, VmEvent::start);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    const auto started = (*vm)->objects->power_on(stage, (*vm)->entry, (*vm)->dtb_address);
    (*vm)->state = started ? VmState::running : VmState::init_failed;
    return started;
}

RmResult<> VmManager::stop(std::uint32_t from, Reader payload, Answer& answer) {
    const std::uint16_t vmid = payload.u16();
    const std::uint8_t flags = payload.u8();
    const std::uint8_t reserved = payload.u8();
    (void)payload.u32(); // reason: only a guest that is asked to stop would see it
    const Stage stage{vmid, "VM_STOP"};
    if (!payload.finished() || reserved != 0 || (flags & ~GH_RM_VM_STOP_FORCE) != 0) {
        return refuse(stage, RmError::argument_invalid, "malformed request (flags {x})", flags);
    }
    const auto vm = owned_vm_for(stage, from, VmEvent::stop);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    if ((flags & GH_RM_VM_STOP_FORCE) == 0) {
        return refuse(stage, RmError::unimplemented,
                      "the guest has no channel on which it could be asked; use force");
    }
    (*vm)->objects->kill();
    (*vm)->state = VmState::exited;
    if (!(*vm)->exit_reported) {
        (*vm)->exit_reported = true;
        const ExitNotice notice(vmid, GH_RM_EXIT_STOP_FORCED);
        answer.notify_after(GH_RM_NOTIF_VM_EXITED, notice.writer.written());
    }
    return {};
}

RmResult<> VmManager::reset(std::uint32_t from, Reader payload, Answer& answer) {
    const Stage stage{read_vmid(payload), "VM_RESET"};
    const auto vm = owned_vm_for(stage, from, VmEvent::reset);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    (*vm)->state = VmState::resetting;
    (*vm)->objects.reset();
    (*vm)->state = VmState::reset;
    std::array<std::byte, 8> buffer{};
    Writer notice(buffer);
    notice.u16((*vm)->vmid);
    notice.u16(0);
    notice.u8(GH_RM_VM_STATUS_RESET);
    notice.u8(0);  // os_status: not known
    notice.u16(0); // app_status: not known
    answer.notify_after(GH_RM_NOTIF_VM_STATUS, notice.written());
    return {};
}

RmResult<> VmManager::hyp_resources(std::uint32_t from, Reader payload, Writer& reply) {
    const Stage stage{read_vmid(payload), "VM_GET_HYP_RESOURCES"};
    const auto vm = owned_vm(stage, from);
    if (!vm) {
        return std::unexpected(vm.error());
    }
    if ((*vm)->objects == nullptr) {
        return refuse(stage, RmError::vm_state, "the VM is in state {}", name_of((*vm)->state));
    }
    const GuestObjects& objects = *(*vm)->objects;
    const std::size_t vcpus = objects.proxy_scheduled() ? objects.vcpus().size() : 0;
    const auto entry = [&](std::uint8_t type, std::uint32_t label, CapId cap, std::uint32_t virq) {
        reply.u8(type);
        reply.u8(0);
        reply.u16((*vm)->vmid); // partner
        reply.u32(0);           // handle: RM keeps none
        reply.u32(label);
        reply.u64(cap.value);
        reply.u32(0); // virq_handle
        reply.u32(virq);
        reply.u64(0); // base
        reply.u64(0); // size
    };
    reply.u32(static_cast<std::uint32_t>(vcpus + objects.doorbells().size()));
    for (std::size_t i = 0; i < vcpus; ++i) {
        const GuestVcpu& vcpu = objects.vcpus()[i];
        entry(GH_RM_RESOURCE_VCPU, static_cast<std::uint32_t>(i), vcpu.peer_copy.id(),
              vcpu.wakeup.number());
    }
    for (const GuestDoorbell& bell : objects.doorbells()) {
        entry(GH_RM_RESOURCE_BELL_TX, bell.config.label, bell.peer_copy.id(), 0);
    }
    return {};
}

void VmManager::on_halt(std::uint32_t intid, Hypervisor& hypervisor, Channel& channel) {
    for (Vm& vm : vms_) {
        if (vm.objects == nullptr || vm.state != VmState::running) {
            continue;
        }
        for (const GuestVcpu& vcpu : vm.objects->vcpus()) {
            if (vcpu.halt.number() != intid) {
                continue;
            }
            const auto state = hypervisor.vcpu_run_check(vcpu.vcpu.id());
            const auto type = state ? exit_type(*state) : std::nullopt;
            if (type && !vm.exit_reported) {
                vm.exit_reported = true;
                vm.state = VmState::exited;
                const ExitNotice notice(vm.vmid, *type);
                channel.notify(GH_RM_NOTIF_VM_EXITED, notice.writer.written());
            }
            return;
        }
    }
}

} // namespace rm
