// SPDX-License-Identifier: BSD-3-Clause
// The device tree that a guest sees: the VMM's, with what only RM knows added.
#pragma once

#include "device_tree/editor.hpp"
#include "vm/guest_config.hpp"

#include <optional>

namespace rm {

/// A doorbell as the guest sees it: its receive capability in the guest's capability space.
struct GuestBell {
    DoorbellConfig config;
    std::uint64_t receive_cap;
};

struct GuestTreeFacts {
    std::uint16_t vmid;
    std::uint16_t owner_vmid;
    Range ram; // the image parcel, where the guest sees it
    std::span<const GuestBell> bells;
    std::optional<std::uint64_t> kaslr_seed; // used only when the VMM gave none
};

/// Adds /memory@…, /chosen/kaslr-seed, /hypervisor with qcom,gunyah-vm and the doorbells. Errors
/// of libfdt stick to the editor; false when the root's cell counts cannot express the memory.
[[nodiscard]] bool patch_guest_tree(dt::Editor& tree, const GuestConfig& config,
                                    const GuestTreeFacts& facts);

/// Makes /hypervisor as every Gunyah VM finds it, and in it the VM's identity. Gives the node.
dt::Node add_hypervisor_node(dt::Editor& tree, std::uint32_t gic_phandle);
void add_vm_identity(dt::Editor& tree, std::uint16_t vmid, std::optional<std::uint16_t> owner_vmid);

/// Replaces all memory nodes by one with these ranges. Precondition: 1 to 32 ranges. False when
/// the root's #address-cells and #size-cells cannot express them.
[[nodiscard]] bool set_memory(dt::Editor& tree, std::span<const Range> ram);

} // namespace rm
