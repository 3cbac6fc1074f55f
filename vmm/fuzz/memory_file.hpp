// SPDX-License-Identifier: BSD-3-Clause
// MemoryFile: the fuzzer's bytes as a file with a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace vmm::fuzz {

// One for all inputs of a process.
inline std::string memory_file(const std::uint8_t* data, std::size_t size) {
    static const int fd = ::memfd_create("input", MFD_CLOEXEC);
    if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, data, size, 0) != static_cast<ssize_t>(size)) {
        std::abort();
    }
    return "/proc/self/fd/" + std::to_string(fd);
}

} // namespace vmm::fuzz
