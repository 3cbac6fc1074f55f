// SPDX-License-Identifier: BSD-3-Clause
// The guest's device tree: what the guest's kernel and the Resource Manager are told about it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmm {

// A device behind MMIO registers with at most one interrupt, which a doorbell delivers.
struct DeviceDescription {
    enum class Kind { pl011, pl031, pl061, sp805, virtio_mmio };
    Kind kind;
    std::uint64_t base; // guest physical address
    std::uint64_t size; // bytes of registers
    // Edge-triggered shared peripheral interrupt, counted from 0.
    std::optional<std::uint32_t> spi;
};

struct AddressRange {
    std::uint64_t begin;
    std::uint64_t end; // first address behind it
};

struct GuestDescription {
    std::uint32_t cpus;
    std::uint64_t ram_base;
    std::string command_line;
    std::optional<AddressRange> initrd;
    std::vector<DeviceDescription> devices;
    std::uint64_t kaslr_seed;
    std::array<std::byte, 64> random_seed;
};

// The flattened tree. It has no /memory and no /hypervisor: the Resource Manager adds them, and
// reads /gunyah-vm-config. Throws std::length_error if it does not fit `capacity` bytes.
std::vector<std::byte> build_device_tree(const GuestDescription& guest, std::size_t capacity);

} // namespace vmm
