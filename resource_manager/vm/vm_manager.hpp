// SPDX-License-Identifier: BSD-3-Clause
// All guests, and the requests that move them through their life.
#pragma once

#include "rpc/channel.hpp"
#include "vm/guest_builder.hpp"

namespace rm {

/// Requests come from the creator of VMs; a VM is managed by its creator only.
class VmManager final : public VmDirectory {
public:
    /// `primary` is the VMID of the VM that may create others.
    explicit VmManager(std::uint32_t primary) : primary_(primary) {}
    ~VmManager();
    VmManager(const VmManager&) = delete;
    VmManager& operator=(const VmManager&) = delete;

    /// Needed before the first VM_INIT.
    void set_builder(GuestBuilder& builder) { builder_ = &builder; }

    [[nodiscard]] bool exists(std::uint32_t vmid) const override;
    [[nodiscard]] std::size_t count() const { return count_; }

    RmResult<> allocate(std::uint32_t from, Reader payload, Writer& reply);
    RmResult<> deallocate(std::uint32_t from, Reader payload);
    RmResult<> config_image(std::uint32_t from, Reader payload);
    RmResult<> set_firmware(std::uint32_t from, Reader payload);
    RmResult<> initialise(std::uint32_t from, Reader payload);
    RmResult<> start(std::uint32_t from, Reader payload);
    RmResult<> stop(std::uint32_t from, Reader payload, Answer& answer);
    RmResult<> reset(std::uint32_t from, Reader payload, Answer& answer);
    /// Ends and removes all VMs of the sender.
    void end_all(std::uint32_t from);
    RmResult<> hyp_resources(std::uint32_t from, Reader payload, Writer& reply);

    /// RM's interrupt `intid` came: if it belongs to a vCPU, looks why that halted and tells the
    /// creator when its VM has ended. Precondition: channel.can_notify().
    void on_halt(std::uint32_t intid, Hypervisor& hypervisor, Channel& channel);

private:
    RmResult<Vm*> owned_vm(const Stage& stage, std::uint32_t from);
    RmResult<Vm*> owned_vm_for(const Stage& stage, std::uint32_t from, VmEvent event);
    RmResult<std::uint16_t> free_vmid(const Stage& stage, std::uint16_t wanted) const;
    [[nodiscard]] Vm* find(std::uint32_t vmid);
    void remove(Vm& vm);
    /// The payload "u16 vmid, u16 0" that most requests consist of; vmid 0 when malformed.
    static std::uint16_t read_vmid(Reader& payload);

    std::uint32_t primary_;
    GuestBuilder* builder_ = nullptr;
    mutable rt::IntrusiveList<Vm, VmTag> vms_;
    std::size_t count_ = 0;
};

} // namespace rm
