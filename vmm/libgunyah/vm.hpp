// SPDX-License-Identifier: BSD-3-Clause
// Vm: a virtual machine in the making, and then running.
#pragma once

#include <cstdint>
#include <optional>

#include "libgunyah/function_binding.hpp"
#include "libgunyah/ioeventfd.hpp"
#include "libgunyah/irqfd.hpp"
#include "libgunyah/memory_region.hpp"
#include "libgunyah/vcpu.hpp"

namespace gunyah {

// Made by Device::create_vm(). Memory and the device tree are set before start(); functions are
// added before start() too, so that the VM's resources find them. Everything throws Error.
// When the Vm and all its functions are gone, the driver stops the guest and takes its memory back.
class Vm {
public:
    // Shares `memory` with the guest at `guest_address` (page aligned), readable, writable and
    // executable. `label` is unique within the VM. `memory` must outlive the VM.
    void set_memory_region(std::uint32_t label, std::uint64_t guest_address,
                           const MemoryRegion& memory);
    // Where the device tree stands, with the room behind it that the Resource Manager may use.
    void set_device_tree(std::uint64_t guest_address, std::uint64_t window_size);

    Vcpu add_vcpu(std::uint32_t id);
    IrqFd add_irqfd(std::uint32_t label, IrqTrigger trigger);
    // `length` is 1, 2, 4 or 8; with `datamatch` only writes of that value count.
    IoEventFd add_ioeventfd(std::uint64_t address, std::uint32_t length,
                            std::optional<std::uint64_t> datamatch);

    void start();

private:
    friend class Device;
    explicit Vm(VmHandle handle) : handle_{std::move(handle)} {}

    VmHandle handle_;
};

} // namespace gunyah
