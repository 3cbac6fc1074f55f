// SPDX-License-Identifier: BSD-3-Clause
// The device tree that the primary VM sees: the board's, without what the hypervisor keeps.
#pragma once

#include "device_tree/editor.hpp"
#include "device_tree/gic_node.hpp"

#include <optional>

namespace rm {

struct PrimaryTreeFacts {
    std::span<const Range> ram;
    std::span<const std::uint64_t> cpu_mpidr; // of the CPUs that the VM gets
    std::string_view bootargs;
    std::optional<Range> initrd;
    // The message queues between the VM and RM: the VM's capabilities and INTIDs.
    std::uint64_t rpc_send_cap;
    std::uint64_t rpc_receive_cap;
    std::uint32_t rpc_send_irq;
    std::uint32_t rpc_receive_irq;
};

/// Changes the board's tree in place. libfdt's errors stick to the editor; otherwise gives a
/// static phrase that says what is wrong with the tree, or nullptr.
[[nodiscard]] const char* patch_primary_tree(dt::Editor& tree, const PrimaryTreeFacts& facts);

} // namespace rm
