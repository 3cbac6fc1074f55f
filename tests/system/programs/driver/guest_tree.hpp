// SPDX-License-Identifier: BSD-3-Clause
// The least device tree that the Resource Manager takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace driver {

struct TreeOptions {
    std::uint64_t base = 0; // of the guest's memory
    std::uint32_t cpus = 1;
    std::uint64_t firmware = 0;   // where a protected VM starts; 0: it is none
    std::uint32_t bell_label = 0; // a doorbell with this label on SPI 8; 0: none
    bool watchdog = false;        // which does not bark
};

// Writes the tree to the beginning of `place`. Throws Mismatch when it does not fit.
void write_tree(std::span<std::byte> place, const TreeOptions& options);

} // namespace driver
