// SPDX-License-Identifier: BSD-3-Clause
// DiskFile: a raw disk image (or block device), locked against a second user.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// The lock is flock(2): exclusive for writers, shared for readers; it ends with the object.
class DiskFile {
public:
    static constexpr std::uint64_t sector_size = 512;

    // Throws gunyah::Error: missing, unreadable, not whole sectors, in use by another VM.
    static DiskFile open(const std::string& path, bool read_only);

    [[nodiscard]] std::uint64_t sectors() const { return sectors_; }
    [[nodiscard]] bool read_only() const { return read_only_; }

    // Moves all bytes of `pieces` from or to the file at byte `offset`, within sectors(). False on
    // an I/O error. Changes `pieces`.
    [[nodiscard]] bool read(std::vector<iovec>& pieces, std::uint64_t offset) const;
    [[nodiscard]] bool write(std::vector<iovec>& pieces, std::uint64_t offset) const;
    // What was written survives a crash of the host.
    [[nodiscard]] bool flush() const;
    // The range reads as zero and gives its blocks back where the file system can.
    [[nodiscard]] bool discard(std::uint64_t offset, std::uint64_t length) const;

private:
    DiskFile(gunyah::FileDescriptor fd, std::uint64_t sectors, bool read_only)
        : fd_{std::move(fd)}, sectors_{sectors}, read_only_{read_only} {}

    gunyah::FileDescriptor fd_;
    std::uint64_t sectors_;
    bool read_only_;
};

} // namespace vmm
