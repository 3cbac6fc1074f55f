// SPDX-License-Identifier: BSD-3-Clause
// HostFile: opening, locking, and complete transfers despite short reads and writes.
#include "disk/host_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "disk/iovec_cursor.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

void lock(int fd, const std::string& failed, bool read_only) {
    struct flock whole{};
    whole.l_type = read_only ? F_RDLCK : F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        return;
    }
    if (errno == EAGAIN || errno == EACCES) {
        throw Error{ErrorKind::busy, failed,
                    read_only ? "another VM writes to it" : "another VM uses it",
                    "stop that VM, or give both of them the disk read-only (--disk FILE,ro)"};
    }
    throw Error::from_errno(errno, failed, "it cannot be locked");
}

std::uint64_t size_of(int fd, const std::string& failed) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        throw Error::from_errno(errno, failed);
    }
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        throw Error{ErrorKind::invalid_input, failed, "it is neither a file nor a block device",
                    "give a disk image"};
    }
    const off_t size = ::lseek(fd, 0, SEEK_END);
    if (size < 0) {
        throw Error::from_errno(errno, failed, "its size cannot be found");
    }
    return static_cast<std::uint64_t>(size);
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

bool allocate(int fd, int mode, std::uint64_t offset, std::uint64_t length) {
    return ::fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(length)) == 0;
}

} // namespace

HostFile::HostFile(gunyah::FileDescriptor fd, std::string complaint, bool read_only)
    : fd_{std::move(fd)}, complaint_{std::move(complaint)}, read_only_{read_only} {
    // The lock comes first: the size may change until it is held.
    lock(fd_.get(), complaint_, read_only_);
    size_ = size_of(fd_.get(), complaint_);
}

HostFile HostFile::open(const std::string& path, bool read_only) {
    std::string failed = fmt::format("cannot use disk {}", path);
    gunyah::FileDescriptor fd{::open(path.c_str(), (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC)};
    if (!fd) {
        const bool may_help = errno == EACCES || errno == EROFS || errno == EPERM;
        throw Error::from_errno(errno, failed, "",
                                may_help && !read_only ? "to only read it, write --disk FILE,ro"
                                                       : "");
    }
    return {std::move(fd), std::move(failed), read_only};
}

bool HostFile::read(std::vector<iovec>& pieces, std::uint64_t offset) const {
    return transfer_all(::preadv, fd_.get(), pieces, offset);
}

bool HostFile::write(std::vector<iovec>& pieces, std::uint64_t offset) {
    const std::uint64_t end = offset + total_length(pieces);
    const bool written = transfer_all(::pwritev, fd_.get(), pieces, offset);
    size_ = std::max(size_, written ? end : size_);
    return written;
}

bool HostFile::read(std::span<std::byte> bytes, std::uint64_t offset) const {
    std::vector<iovec> pieces{{bytes.data(), bytes.size()}};
    return read(pieces, offset);
}

bool HostFile::write(std::span<const std::byte> bytes, std::uint64_t offset) {
    std::vector<iovec> pieces{{const_cast<std::byte*>(bytes.data()), bytes.size()}};
    return write(pieces, offset);
}

bool HostFile::flush() const {
    return ::fdatasync(fd_.get()) == 0;
}

bool HostFile::punch_hole(std::uint64_t offset, std::uint64_t length) const {
    return length == 0 || allocate(fd_.get(), FALLOC_FL_PUNCH_HOLE, offset, length);
}

bool HostFile::write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_unmap) {
    if (length == 0 || (may_unmap && punch_hole(offset, length)) ||
        allocate(fd_.get(), FALLOC_FL_ZERO_RANGE, offset, length)) {
        return true;
    }
    static constexpr std::array<std::byte, 65'536> zeroes{};
    while (length != 0) {
        const auto part = std::span{zeroes}.first(std::min<std::uint64_t>(length, zeroes.size()));
        if (!write(part, offset)) {
            return false;
        }
        offset += part.size();
        length -= part.size();
    }
    return true;
}

} // namespace vmm
