// SPDX-License-Identifier: BSD-3-Clause
// The device tree of QEMU's virt board, made by QEMU itself with boot modules as ./dev run adds
// them.
#pragma once

#include <cstddef>
#include <vector>

namespace rm::testing {

/// Runs qemu-system-aarch64 with `cpus` CPUs and 2 GiB; aborts the test program when it cannot.
/// The kernel module stands at 0x48000000, the initrd at 0x4c000000, one page each.
std::vector<std::byte> board_tree(unsigned cpus, const char* cpu = "cortex-a57");

} // namespace rm::testing
