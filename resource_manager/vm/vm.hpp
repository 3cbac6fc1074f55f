// SPDX-License-Identifier: BSD-3-Clause
// One guest VM: its state, what its creator configured, and what exists of it.
#pragma once

#include "vm/guest_objects.hpp"
#include "vm/vm_state.hpp"

#include <memory>

namespace rm {

/// VM_CONFIG_IMAGE's arguments. Offsets are from the start of the parcel.
struct ImageConfig {
    std::uint32_t parcel = 0; // handle
    std::uint64_t image_offset = 0;
    std::uint64_t image_size = 0; // 0: not told
    std::uint64_t dtb_offset = 0;
    std::uint64_t dtb_size = 0; // room for the tree, with slack for RM's nodes
};

/// VM_SET_FIRMWARE_MEM's arguments: the program that a protected VM starts with.
struct FirmwareConfig {
    std::uint32_t parcel = 0; // handle
    std::uint64_t offset = 0; // from the start of the parcel
    std::uint64_t size = 0;   // 0: not told
};

struct VmTag;

class Vm : public rt::ListNode<VmTag> {
public:
    Vm(std::uint16_t number, std::uint32_t creator) : vmid(number), owner(creator) {}

    const std::uint16_t vmid;
    const std::uint32_t owner; // VMID of the creator, which alone may manage it
    VmState state = VmState::load;
    ImageConfig image;
    bool is_protected = false; // it starts at its firmware, in memory that nobody else reaches
    FirmwareConfig firmware;
    std::uint64_t entry = 0;       // guest address of the first instruction; set by VM_INIT
    std::uint64_t dtb_address = 0; // guest address of the tree; set by VM_INIT
    bool exit_reported = false;    // VM_EXITED is sent once in a life
    /// Exists from VM_INIT to VM_RESET.
    std::unique_ptr<GuestObjects> objects;
};

} // namespace rm
