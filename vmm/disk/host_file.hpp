// SPDX-License-Identifier: BSD-3-Clause
// HostFile: the file or block device behind a disk image, locked against a second user.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// The lock is one on the open file description (F_OFD_SETLK) over all bytes: exclusive for writers,
// shared for readers; it ends with the object. Functions return false on an I/O error or, for
// reads, at the end of the file.
class HostFile {
public:
    // Throws gunyah::Error: missing, unreadable, no file or block device, in use by another VM.
    static HostFile open(const std::string& path, bool read_only);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] bool read_only() const { return read_only_; }
    // For transfers without this class, within size().
    [[nodiscard]] int fd() const { return fd_.get(); }
    // "cannot use disk <path>", for further complaints.
    [[nodiscard]] const std::string& complaint() const { return complaint_; }

    // Moves all bytes of `pieces`, which may change. Writing beyond the end makes the file larger.
    [[nodiscard]] bool read(std::vector<iovec>& pieces, std::uint64_t offset) const;
    [[nodiscard]] bool write(std::vector<iovec>& pieces, std::uint64_t offset);
    [[nodiscard]] bool read(std::span<std::byte> bytes, std::uint64_t offset) const;
    [[nodiscard]] bool write(std::span<const std::byte> bytes, std::uint64_t offset);
    [[nodiscard]] bool flush() const;
    // The range reads as zero and gives its blocks back; false where the file system cannot.
    [[nodiscard]] bool punch_hole(std::uint64_t offset, std::uint64_t length) const;
    // The range, within the file, reads as zero.
    [[nodiscard]] bool write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_unmap);

private:
    HostFile(gunyah::FileDescriptor fd, std::string complaint, bool read_only);

    gunyah::FileDescriptor fd_;
    std::string complaint_;
    std::uint64_t size_ = 0;
    bool read_only_;
};

} // namespace vmm
