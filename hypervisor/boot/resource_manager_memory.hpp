// SPDX-License-Identifier: BSD-3-Clause
// What lies in the Resource Manager's memory when it starts: image, boot data, device tree.
#pragma once

#include "heap/address.hpp"

#include <abi/rm_boot.h>

#include <cstdint>
#include <span>

namespace hyp {

/// Lays out the memory from its start on. Order: image, struct gh_rm_boot, capabilities of hardware
/// interrupts, device tree; free behind that.
class ResourceManagerMemory {
public:
    /// Copies the image of the Resource Manager to the start of the range. Panics if there
    /// is no image, or too little room.
    explicit ResourceManagerMemory(PhysRange range);

    /// Boot data, zeroed but for the fields that describe this memory.
    [[nodiscard]] gh_rm_boot& boot() { return *boot_; }
    [[nodiscard]] Ipa boot_address() const { return ipa_of(boot_); }

    /// Room for one capability per hardware interrupt.
    std::span<std::uint64_t> add_interrupt_capabilities(std::uint32_t count);
    /// Where the copy is, for the caller to change.
    void* add_device_tree(const void* tree);

    /// The rest is free: writes everything to memory, as it starts with caches off.
    void finish();

private:
    void* reserve(std::uint64_t size, std::uint64_t alignment);
    [[nodiscard]] Ipa ipa_of(const void* pointer) const;

    std::uint8_t* start_;
    std::uint64_t size_;
    std::uint64_t used_ = 0;
    gh_rm_boot* boot_ = nullptr;
};

} // namespace hyp
