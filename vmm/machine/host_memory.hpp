// SPDX-License-Identifier: BSD-3-Clause
// What the host can give a guest: free memory, and the right to lock it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vmm {

// Bytes of "MemAvailable" in the text of /proc/meminfo.
std::optional<std::uint64_t> parse_available_memory(std::string_view meminfo);

// Bytes of free memory in pieces of 2 MiB and more, from the text of /proc/buddyinfo: a column for
// each order, in pages of 4 KiB as Debian's arm64 kernels have them, a line for each zone.
std::optional<std::uint64_t> parse_whole_memory(std::string_view buddyinfo);

// Throws gunyah::Error if the host does not have `size` bytes to spare. Touches no memory.
void require_available_memory(std::uint64_t size);

// The driver keeps guest memory in place and counts it against RLIMIT_MEMLOCK. Raises the limit by
// `size` bytes if that is permitted; throws gunyah::Error if the limit is too low and stays so.
void allow_locked_memory(std::uint64_t size);

} // namespace vmm
