// SPDX-License-Identifier: BSD-3-Clause
// Session: opening and creating files, and what is done with open ones.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "share/session.hpp"

namespace vmm::share {
namespace {

using gunyah::FileDescriptor;

// The flags of lopen and lcreate have the numbers of Linux' generic open(2), which differ from some
// architectures'.
constexpr std::uint32_t wire_access = 03;
constexpr std::uint32_t wire_exclusive = 0200;
constexpr std::uint32_t wire_truncate = 01000;
constexpr std::uint32_t wire_append = 02000;
constexpr std::uint32_t wire_data_sync = 010000;
constexpr std::uint32_t wire_directory = 0200000;
constexpr std::uint32_t wire_sync = 04000000;

// Those that matter on this side; direct access is a hint that the guest's cache has taken.
int open_flags(std::uint32_t wire) {
    const auto has = [wire](std::uint32_t flag) { return (wire & flag) == flag; };
    return static_cast<int>(wire & wire_access) | (has(wire_truncate) ? O_TRUNC : 0) |
           (has(wire_append) ? O_APPEND : 0) | (has(wire_data_sync) ? O_DSYNC : 0) |
           (has(wire_directory) ? O_DIRECTORY : 0) | (has(wire_sync) ? O_SYNC : 0);
}

bool changes(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

// What getdents64(2) gives, without the name behind it.
struct DirectoryEntry {
    std::uint64_t inode;
    std::uint64_t next; // where to go on
    std::uint16_t length;
    std::uint8_t type;
};
constexpr std::size_t name_offset = 19;

struct flock lock_range(short type, std::uint64_t start, std::uint64_t length) {
    struct flock range{};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(start);
    range.l_len = static_cast<off_t>(length); // 0: to the end, here as there
    return range;
}

Result<short> lock_type(std::uint8_t type) {
    switch (static_cast<LockType>(type)) {
    case LockType::read:
        return F_RDLCK;
    case LockType::write:
        return F_WRLCK;
    case LockType::unlock:
        return F_UNLCK;
    }
    return std::unexpected{EINVAL};
}

} // namespace

Session::Done Session::lopen(MessageWriter& out, Number fid, std::uint32_t flags) {
    const auto found = held(fid);
    if (!found || (*found)->io) {
        return std::unexpected{EBADF};
    }
    const int wanted = open_flags(flags);
    if (changes(wanted) && tree_.read_only()) {
        return std::unexpected{EROFS};
    }
    auto file = tree_.open(*(*found)->node, wanted);
    const auto status = file ? SharedTree::status(*(*found)->node) : std::unexpected{file.error()};
    if (!status) {
        return std::unexpected{status.error()};
    }
    (*found)->io = *std::move(file);
    out.put(tree_.qid(*status));
    out.put<std::uint32_t>(0); // as much at once as a message takes
    return {};
}

// The fid of the directory becomes that of the file.
Session::Done Session::lcreate(MessageWriter& out, Number fid, Text name, std::uint32_t flags,
                               std::uint32_t mode, std::uint32_t group) {
    const auto found = changing(fid, name);
    if (!found || (*found)->io) {
        return std::unexpected{found ? EBADF : found.error()};
    }
    NodePtr node;
    const int exclusive = (flags & wire_exclusive) != 0 ? O_EXCL : 0;
    auto file = create_or_open(**found, name, open_flags(flags) | exclusive, mode, group, node);
    const auto status = file ? SharedTree::status(*node) : std::unexpected{file.error()};
    if (!status) {
        return std::unexpected{status.error()};
    }
    (*found)->node = std::move(node);
    (*found)->io = *std::move(file);
    out.put(tree_.qid(*status));
    out.put<std::uint32_t>(0);
    return {};
}

Result<FileDescriptor> Session::create_or_open(const Fid& folder, Text name, int flags,
                                               std::uint32_t mode, std::uint32_t group,
                                               NodePtr& node) {
    constexpr int always = O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    FileDescriptor file{::openat(folder.node->fd(), std::string{name}.c_str(),
                                 (flags & ~O_DIRECTORY) | always, 0600)};
    if (!file && (errno != EEXIST || (flags & O_EXCL) != 0)) {
        return last_error();
    }
    auto found = file ? tree_.adopt(folder.node, name, file.get()) : tree_.find(folder.node, name);
    if (!found) {
        return std::unexpected{found.error()};
    }
    node = *std::move(found);
    if (!file) {
        return tree_.open(*node, flags);
    }
    give_to(*node, folder.user, group);
    if (::fchmod(file.get(), mode & permission_bits) != 0) {
        return last_error();
    }
    return file;
}

Session::Done Session::read(MessageWriter& out, Number fid, std::uint64_t offset,
                            std::uint32_t count) {
    const auto found = opened(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    const std::size_t count_at = out.size();
    out.put<std::uint32_t>(0);
    const auto room = out.room().first(std::min<std::size_t>(out.room().size(), count));
    const ssize_t done =
        ::pread((*found)->io.get(), room.data(), room.size(), static_cast<off_t>(offset));
    if (done < 0) {
        return last_error();
    }
    out.advance(static_cast<std::size_t>(done));
    out.replace(count_at, static_cast<std::uint32_t>(done));
    return {};
}

Session::Done Session::write(MessageWriter& out, Number fid, std::uint64_t offset, Bytes data) {
    const auto found = opened(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    const ssize_t done =
        ::pwrite((*found)->io.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (done < 0) {
        return last_error();
    }
    out.put(static_cast<std::uint32_t>(done));
    return {};
}

Session::Done Session::readdir(MessageWriter& out, Number fid, std::uint64_t offset,
                               std::uint32_t count) {
    const auto found = opened(fid);
    const auto status =
        found ? SharedTree::status(*(*found)->node) : std::unexpected{found.error()};
    if (!status) {
        return std::unexpected{status.error()};
    }
    const int folder = (*found)->io.get();
    if (::lseek(folder, static_cast<off_t>(offset), SEEK_SET) < 0) {
        return last_error();
    }
    alignas(8) std::array<std::byte, 16 * 1024> entries;
    const auto read = ::syscall(SYS_getdents64, folder, entries.data(), entries.size());
    if (read < 0) {
        return last_error();
    }
    const std::size_t count_at = out.size();
    out.put<std::uint32_t>(0);
    const Bytes bytes = std::span{entries}.first(static_cast<std::size_t>(read));
    if (!put_entries(out, *(*found)->node, status->st_dev, bytes, count)) {
        return std::unexpected{EINVAL}; // not even one has room
    }
    const std::size_t header = sizeof(std::uint32_t);
    out.replace(count_at, static_cast<std::uint32_t>(out.size() - count_at - header));
    return {};
}

// As many of `entries` as `count` bytes and the reply hold; false if there are some and none fits.
bool Session::put_entries(MessageWriter& out, const Node& folder, std::uint64_t device,
                          Bytes entries, std::size_t count) const {
    constexpr std::size_t fixed = 13 + 8 + 1 + 2;
    const bool any = !entries.empty();
    const std::size_t before = out.size();
    while (entries.size() > name_offset) {
        DirectoryEntry entry{};
        std::memcpy(&entry, entries.data(), name_offset);
        const Text name{reinterpret_cast<const char*>(entries.data()) + name_offset};
        const std::size_t size = fixed + name.size();
        if (size > out.room().size() || out.size() - before + size > count) {
            break;
        }
        // What is above the root is none of the guest's business.
        const bool is_outside = name == ".." && !folder.parent();
        out.put(tree_.qid(is_outside ? 0 : entry.inode, device, entry.type));
        out.put(entry.next);
        out.put(entry.type);
        out.put(name);
        entries = entries.subspan(std::min<std::size_t>(entry.length, entries.size()));
    }
    return !any || out.size() != before;
}

Session::Done Session::fsync(MessageWriter& /*out*/, Number fid, std::uint32_t data_only) {
    const auto found = opened(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    const int file = (*found)->io.get();
    if ((data_only != 0 ? ::fdatasync(file) : ::fsync(file)) != 0) {
        return last_error();
    }
    return {};
}

Session::Done Session::lock(MessageWriter& out, Number fid, std::uint8_t type,
                            std::uint32_t /*flags*/, std::uint64_t start, std::uint64_t length,
                            std::uint32_t /*process*/, Text /*client*/) {
    const auto found = opened(fid);
    const auto kind = found ? lock_type(type) : std::unexpected{found.error()};
    if (!kind) {
        return std::unexpected{kind.error()};
    }
    struct flock range = lock_range(*kind, start, length);
    LockStatus status = LockStatus::success;
    if (::fcntl((*found)->io.get(), F_OFD_SETLK, &range) != 0) {
        status = errno == EAGAIN || errno == EACCES ? LockStatus::blocked : LockStatus::error;
    }
    out.put(static_cast<std::uint8_t>(status));
    return {};
}

Session::Done Session::getlock(MessageWriter& out, Number fid, std::uint8_t type,
                               std::uint64_t start, std::uint64_t length, std::uint32_t process,
                               Text client) {
    const auto found = opened(fid);
    const auto kind = found ? lock_type(type) : std::unexpected{found.error()};
    if (!kind) {
        return std::unexpected{kind.error()};
    }
    struct flock range = lock_range(*kind, start, length);
    if (::fcntl((*found)->io.get(), F_OFD_GETLK, &range) != 0) {
        return last_error();
    }
    const bool free = range.l_type == F_UNLCK;
    const LockType held_as = range.l_type == F_RDLCK ? LockType::read : LockType::write;
    out.put(static_cast<std::uint8_t>(free ? LockType::unlock : held_as));
    out.put(free ? start : static_cast<std::uint64_t>(range.l_start));
    out.put(free ? length : static_cast<std::uint64_t>(range.l_len));
    out.put(process);
    out.put(client);
    return {};
}

} // namespace vmm::share
