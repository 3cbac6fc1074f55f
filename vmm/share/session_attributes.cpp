// SPDX-License-Identifier: BSD-3-Clause
// Session: getattr, setattr, statfs.
#include <fcntl.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "share/session.hpp"

namespace vmm::share {
namespace {

constexpr std::uint64_t second = 1'000'000'000;

timespec when(bool wanted, bool given, std::uint64_t seconds, std::uint64_t nanoseconds) {
    timespec time{};
    if (!wanted) {
        time.tv_nsec = UTIME_OMIT;
    } else if (!given) {
        time.tv_nsec = UTIME_NOW;
    } else {
        time.tv_sec = static_cast<time_t>(seconds);
        time.tv_nsec = static_cast<long>(nanoseconds);
    }
    return time;
}

void put_time(MessageWriter& out, const timespec& time) {
    out.put(static_cast<std::uint64_t>(time.tv_sec));
    out.put(static_cast<std::uint64_t>(time.tv_nsec));
}

} // namespace

Session::Done Session::getattr(MessageWriter& out, Number fid, std::uint64_t /*mask*/) {
    const auto found = held(fid);
    const auto status =
        found ? SharedTree::status(*(*found)->node) : std::unexpected{found.error()};
    if (!status) {
        return std::unexpected{status.error()};
    }
    out.put(getattr_basic);
    out.put(tree_.qid(*status));
    out.put<std::uint32_t>(status->st_mode);
    out.put<std::uint32_t>(status->st_uid);
    out.put<std::uint32_t>(status->st_gid);
    out.put<std::uint64_t>(status->st_nlink);
    out.put<std::uint64_t>(status->st_rdev);
    out.put<std::uint64_t>(static_cast<std::uint64_t>(status->st_size));
    out.put<std::uint64_t>(static_cast<std::uint64_t>(status->st_blksize));
    out.put<std::uint64_t>(static_cast<std::uint64_t>(status->st_blocks));
    put_time(out, status->st_atim);
    put_time(out, status->st_mtim);
    put_time(out, status->st_ctim);
    put_time(out, {});         // of birth: not said
    out.put<std::uint64_t>(0); // generation
    out.put<std::uint64_t>(0); // data version
    return {};
}

// In this order: a change of owner drops bits of the mode, a new size and mode change times.
Session::Done Session::setattr(MessageWriter& /*out*/, Number fid, std::uint32_t valid,
                               std::uint32_t mode, std::uint32_t user, std::uint32_t group,
                               std::uint64_t size, std::uint64_t atime_seconds,
                               std::uint64_t atime_nanoseconds, std::uint64_t mtime_seconds,
                               std::uint64_t mtime_nanoseconds) {
    if (const auto may = may_change(); !may) {
        return may;
    }
    const auto found = held(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    const Node& node = *(*found)->node;
    const auto has = [valid](std::uint32_t bit) { return (valid & bit) != 0; };
    if ((has(set_atime_given) && atime_nanoseconds >= second) ||
        (has(set_mtime_given) && mtime_nanoseconds >= second)) {
        return std::unexpected{EINVAL};
    }
    constexpr std::uint32_t as_it_is = ~std::uint32_t{0};
    if (has(set_uid | set_gid) &&
        ::fchownat(node.fd(), "", has(set_uid) ? user : as_it_is, has(set_gid) ? group : as_it_is,
                   AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
        return last_error();
    }
    if (has(set_mode)) {
        if (const auto done = tree_.change_mode(node, mode & permission_bits); !done) {
            return done;
        }
    }
    if (has(set_size)) {
        if (const auto done = truncate(**found, size); !done) {
            return done;
        }
    }
    const std::array times{
        when(has(set_atime), has(set_atime_given), atime_seconds, atime_nanoseconds),
        when(has(set_mtime), has(set_mtime_given), mtime_seconds, mtime_nanoseconds)};
    if (has(set_atime | set_mtime) &&
        ::utimensat(node.fd(), "", times.data(), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
        return last_error();
    }
    return {};
}

Session::Done Session::truncate(const Fid& fid, std::uint64_t size) const {
    const bool writable = fid.io && (::fcntl(fid.io.get(), F_GETFL) & O_ACCMODE) != O_RDONLY;
    const auto file = writable ? Result<gunyah::FileDescriptor>{} : tree_.open(*fid.node, O_WRONLY);
    if (!file) {
        return std::unexpected{file.error()};
    }
    if (::ftruncate(writable ? fid.io.get() : file->get(), static_cast<off_t>(size)) != 0) {
        return last_error();
    }
    return {};
}

Session::Done Session::statfs(MessageWriter& out, Number fid) {
    const auto found = held(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    struct statfs system{};
    if (::fstatfs((*found)->node->fd(), &system) != 0) {
        return last_error();
    }
    constexpr std::uint32_t type_9p = 0x01021997; // linux/magic.h: V9FS_MAGIC
    out.put(type_9p);
    out.put(static_cast<std::uint32_t>(system.f_bsize));
    for (const auto count :
         {system.f_blocks, system.f_bfree, system.f_bavail, system.f_files, system.f_ffree}) {
        out.put(static_cast<std::uint64_t>(count));
    }
    std::uint64_t number = 0;
    static_assert(sizeof(system.f_fsid) == sizeof(number));
    std::memcpy(&number, &system.f_fsid, sizeof(number));
    out.put(number);
    out.put(static_cast<std::uint32_t>(system.f_namelen));
    return {};
}

} // namespace vmm::share
