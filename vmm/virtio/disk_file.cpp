// SPDX-License-Identifier: BSD-3-Clause
// DiskFile: opening, locking, and complete transfers despite short reads and writes.
#include "virtio/disk_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

void lock(int fd, const std::string& failed, bool read_only) {
    if (::flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) {
        return;
    }
    if (errno == EWOULDBLOCK) {
        throw Error{ErrorKind::busy, failed,
                    read_only ? "another VM writes to it" : "another VM uses it",
                    "stop that VM, or give both of them the disk read-only (--disk FILE,ro)"};
    }
    throw Error::from_errno(errno, failed, "it cannot be locked");
}

std::uint64_t sectors_of(int fd, const std::string& failed) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        throw Error::from_errno(errno, failed);
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        throw Error{ErrorKind::invalid_input, failed, "it is neither a file nor a block device",
                    "give a raw disk image"};
    }
    const off_t size = ::lseek(fd, 0, SEEK_END);
    if (size < 0) {
        throw Error::from_errno(errno, failed, "its size cannot be found");
    }
    const auto bytes = static_cast<std::uint64_t>(size);
    if (bytes == 0 || bytes % DiskFile::sector_size != 0) {
        throw Error{ErrorKind::invalid_input, failed,
                    fmt::format("its size is {} bytes, not a multiple of 512", bytes),
                    "a raw image has whole sectors: make one with truncate -s 64M FILE"};
    }
    return bytes / DiskFile::sector_size;
}

// Drops `count` transferred bytes from the front of `pieces`.
void drop_front(std::span<iovec>& pieces, std::size_t count) {
    while (!pieces.empty() && count >= pieces.front().iov_len) {
        count -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
    }
    if (!pieces.empty()) {
        pieces.front().iov_base = static_cast<std::byte*>(pieces.front().iov_base) + count;
        pieces.front().iov_len -= count;
    }
}

template <typename Transfer>
bool transfer_all(Transfer transfer, int fd, std::span<iovec> pieces, std::uint64_t offset) {
    drop_front(pieces, 0); // empty pieces would look like the end of the file
    while (!pieces.empty()) {
        const int batch = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
        const ssize_t done = transfer(fd, pieces.data(), batch, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        offset += static_cast<std::uint64_t>(done);
        drop_front(pieces, static_cast<std::size_t>(done));
    }
    return true;
}

} // namespace

DiskFile DiskFile::open(const std::string& path, bool read_only) {
    const std::string failed = fmt::format("cannot use disk {}", path);
    gunyah::FileDescriptor fd{::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC)};
    if (!fd) {
        const bool may_help = errno == EACCES || errno == EROFS || errno == EPERM;
        throw Error::from_errno(errno, failed, "",
                                may_help && !read_only ? "to only read it, write FILE,ro" : "");
    }
    lock(fd.get(), failed, read_only);
    const std::uint64_t sectors = sectors_of(fd.get(), failed);
    return {std::move(fd), sectors, read_only};
}

bool DiskFile::read(std::vector<iovec>& pieces, std::uint64_t offset) const {
    return transfer_all(::preadv, fd_.get(), pieces, offset);
}

bool DiskFile::write(std::vector<iovec>& pieces, std::uint64_t offset) const {
    return transfer_all(::pwritev, fd_.get(), pieces, offset);
}

bool DiskFile::flush() const {
    return ::fdatasync(fd_.get()) == 0;
}

bool DiskFile::discard(std::uint64_t offset, std::uint64_t length) const {
    return ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                       static_cast<off_t>(offset), static_cast<off_t>(length)) == 0;
}

} // namespace vmm
