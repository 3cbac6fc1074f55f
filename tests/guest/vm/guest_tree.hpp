// SPDX-License-Identifier: BSD-3-Clause
// The device tree with gunyah-vm-config from which the Resource Manager makes the VM.
#pragma once

#include <cstdint>
#include <span>

namespace test {

/// What of the tree checks vary.
struct GuestTreeOptions {
    std::uint64_t base_address;
    unsigned cpus;
    bool config = true; // the gunyah-vm-config node
    const char* affinity = "proxy";
    const char* feature = nullptr;                 // one of vcpus/features
    std::span<const std::uint32_t> affinity_map{}; // physical CPUs, at most guest_cpus of them
};

/// Builds the tree; the buffer's rest is slack. Fails the check if it does not fit.
void build_guest_tree(std::span<std::byte> buffer, const GuestTreeOptions& options);

} // namespace test
