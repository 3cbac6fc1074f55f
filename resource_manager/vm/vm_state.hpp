// SPDX-License-Identifier: BSD-3-Clause
// The life of a VM as the Resource Manager protocol knows it.
#pragma once

#include <abi/rm_rpc.h>

#include <cstdint>
#include <string_view>

namespace rm {

//                    CONFIG_IMAGE          VM_INIT            VM_START
//   ALLOC -> load ------------------> init --------> ready --------------> running
//             |                        |  \              |                  |   ^
//   DEALLOC   |                        |   \ fails       | fails            |   | VM_START
//             v                        |    v            v                  |  paused
//           (gone)                     |   init_failed <-+          exit or | (not entered
//             ^                        |     |           |         VM_STOP  |  by this RM)
//             | DEALLOC                |     | VM_RESET  | VM_RESET         v
//           reset <--- resetting <-----+-----+-----------+-------------- exited
//             |
//             +--- CONFIG_IMAGE ---> init    (the VMID is used again)
//
// VM_RESET in `init` is our addition to the public table: without it, a creator that dies between
// CONFIG_IMAGE and VM_INIT would leave a VM that nobody can remove. VM_RESET in `load` is refused
// with VM_STATE and changes nothing. Authentication states are not entered: what is started is not
// signed here, and protected VMs, too, go from `load` straight to `init`, where VM_SET_FIRMWARE_MEM
// is possible.
enum class VmState : std::uint8_t {
    ready = GH_RM_VM_STATUS_READY,
    init = GH_RM_VM_STATUS_INIT,
    running = GH_RM_VM_STATUS_RUNNING,
    paused = GH_RM_VM_STATUS_PAUSED,
    load = GH_RM_VM_STATUS_LOAD,
    init_failed = GH_RM_VM_STATUS_INIT_FAILED,
    exited = GH_RM_VM_STATUS_EXITED,
    resetting = GH_RM_VM_STATUS_RESETTING,
    reset = GH_RM_VM_STATUS_RESET,
};

enum class VmEvent { config_image, set_firmware, initialise, start, stop, reset, dealloc };

/// Whether the table above has an arrow for the event that leaves the state.
constexpr bool is_allowed(VmState state, VmEvent event) {
    switch (event) {
    case VmEvent::config_image:
        return state == VmState::load || state == VmState::reset;
    case VmEvent::set_firmware:
    case VmEvent::initialise:
        return state == VmState::init;
    case VmEvent::start:
        return state == VmState::ready || state == VmState::paused;
    case VmEvent::stop:
        return state == VmState::running || state == VmState::paused;
    case VmEvent::reset:
        return state == VmState::exited || state == VmState::ready ||
               state == VmState::init_failed || state == VmState::init;
    case VmEvent::dealloc:
        return state == VmState::load || state == VmState::reset;
    }
    return false;
}

constexpr std::string_view name_of(VmState state) {
    switch (state) {
    case VmState::ready:
        return "READY";
    case VmState::init:
        return "INIT";
    case VmState::running:
        return "RUNNING";
    case VmState::paused:
        return "PAUSED";
    case VmState::load:
        return "LOAD";
    case VmState::init_failed:
        return "INIT_FAILED";
    case VmState::exited:
        return "EXITED";
    case VmState::resetting:
        return "RESETTING";
    case VmState::reset:
        return "RESET";
    }
    return "?";
}

} // namespace rm
