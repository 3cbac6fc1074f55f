// SPDX-License-Identifier: BSD-3-Clause
// Where things are in RM's own intermediate physical address space; stage 1 maps it one to one.
#pragma once

#include <abi/rm_boot.h>

#include <cstdint>

namespace rm {

inline constexpr std::uint64_t own_distributor = 0x0800'0000;
inline constexpr std::uint64_t own_redistributor = 0x0802'0000;
inline constexpr std::uint64_t own_memory = GH_RM_IPA_BASE;
inline constexpr std::uint64_t own_memory_limit = 0xc000'0000; // RM can use this much at most
/// For looking at memory of other VMs: the largest thing is a device tree of 2 MiB.
inline constexpr std::uint64_t own_window = 0xc000'0000;
inline constexpr std::uint64_t own_window_size = 64ULL << 20;

} // namespace rm
