// SPDX-License-Identifier: BSD-3-Clause
// DiskImage: what a block device needs of a disk, whatever format its file has.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
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

    // For who moves data without the image's help: the file that holds them.
    [[nodiscard]] virtual int file() const = 0;
    // Where in it the whole range lies in one piece, for as long as the image exists, to be read
    // and, if the image may be, written. None: only read() and write() know.
    [[nodiscard]] virtual std::optional<std::uint64_t> place(std::uint64_t offset,
                                                             std::uint64_t length) = 0;
    // Whether flush() is fdatasync(file()) and nothing more.
    [[nodiscard]] virtual bool flushes_data_only() const = 0;

    // The range's content is not needed any more: a hint that may change nothing.
    virtual void discard(std::uint64_t offset, std::uint64_t length) = 0;
    // The range reads as zero; its blocks are given back if `may_unmap` and the file system can.
    [[nodiscard]] virtual bool write_zeroes(std::uint64_t offset, std::uint64_t length,
                                            bool may_unmap) = 0;
};

} // namespace vmm
