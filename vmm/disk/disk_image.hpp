// SPDX-License-Identifier: BSD-3-Clause
// DiskImage: what a block device needs of a disk, whatever format its file has.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <vector>

namespace vmm {

// One thread at a time. Ranges are whole sectors within sectors(); offsets and lengths are in
// bytes. Functions return false on an I/O error, after which the range's content is undefined.
class DiskImage {
public:
    static constexpr std::uint64_t sector_size = 512;

    virtual ~DiskImage() = default;

    [[nodiscard]] virtual std::uint64_t sectors() const = 0;
    [[nodiscard]] virtual bool read_only() const = 0;

    // Moves all bytes of `pieces` from or to the disk. The pieces may change.
    [[nodiscard]] virtual bool read(std::vector<iovec>& pieces, std::uint64_t offset) = 0;
    [[nodiscard]] virtual bool write(std::vector<iovec>& pieces, std::uint64_t offset) = 0;
    // What was written survives a crash of the host.
    [[nodiscard]] virtual bool flush() = 0;
    // The range's content is not needed any more: a hint that may change nothing.
    virtual void discard(std::uint64_t offset, std::uint64_t length) = 0;
    // The range reads as zero; its blocks are given back if `may_unmap` and the file system can.
    [[nodiscard]] virtual bool write_zeroes(std::uint64_t offset, std::uint64_t length,
                                            bool may_unmap) = 0;
};

} // namespace vmm
