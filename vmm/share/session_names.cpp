// SPDX-License-Identifier: BSD-3-Clause
// Session: making, moving and removing names.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "share/session.hpp"

namespace vmm::share {
namespace {

constexpr std::uint32_t unlink_directory = 0x200; // AT_REMOVEDIR on the wire

Result<void> outcome(int returned) {
    if (returned != 0) {
        return last_error();
    }
    return {};
}

} // namespace

void Session::give_to(const Node& node, std::uint32_t user, std::uint32_t group) const {
    if (::geteuid() == 0) {
        // A file system may not know owners: the file stays the VMM's then.
        static_cast<void>(
            ::fchownat(node.fd(), "", user, group, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
    }
}

Session::Done Session::settle(MessageWriter& out, const Fid& folder, Text name, std::uint32_t mode,
                              std::uint32_t group) {
    const auto node = tree_.find(folder.node, name);
    if (!node) {
        return std::unexpected{node.error()};
    }
    give_to(**node, folder.user, group);
    const auto status = SharedTree::status(**node);
    if (!status) {
        return std::unexpected{status.error()};
    }
    if (!S_ISLNK(status->st_mode)) {
        if (const auto done = tree_.change_mode(**node, mode & permission_bits); !done) {
            return done;
        }
    }
    out.put(tree_.qid(*status));
    return {};
}

Session::Done Session::symlink(MessageWriter& out, Number folder, Text name, Text target,
                               std::uint32_t group) {
    const auto found = changing(folder, name);
    if (!found || target.find('\0') != Text::npos) {
        return std::unexpected{found ? EINVAL : found.error()};
    }
    if (::symlinkat(std::string{target}.c_str(), (*found)->node->fd(), std::string{name}.c_str()) !=
        0) {
        return last_error();
    }
    return settle(out, **found, name, 0, group);
}

// Regular files, FIFOs and sockets: nothing of them acts on the host.
Session::Done Session::mknod(MessageWriter& out, Number folder, Text name, std::uint32_t mode,
                             std::uint32_t /*major*/, std::uint32_t /*minor*/,
                             std::uint32_t group) {
    const auto found = changing(folder, name);
    if (!found) {
        return std::unexpected{found.error()};
    }
    if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode)) {
        return std::unexpected{EPERM};
    }
    if (::mknodat((*found)->node->fd(), std::string{name}.c_str(), (mode & S_IFMT) | 0600, 0) !=
        0) {
        return last_error();
    }
    return settle(out, **found, name, mode, group);
}

Session::Done Session::mkdir(MessageWriter& out, Number folder, Text name, std::uint32_t mode,
                             std::uint32_t group) {
    const auto found = changing(folder, name);
    if (!found) {
        return std::unexpected{found.error()};
    }
    if (::mkdirat((*found)->node->fd(), std::string{name}.c_str(), 0700) != 0) {
        return last_error();
    }
    return settle(out, **found, name, mode, group);
}

Session::Done Session::link(MessageWriter& /*out*/, Number folder, Number fid, Text name) {
    const auto to = changing(folder, name);
    const auto from = to ? held(fid) : to;
    if (!from) {
        return std::unexpected{from.error()};
    }
    return tree_.link(*(*from)->node, *(*to)->node, name);
}

// Only while the file still has the name it was found by.
Session::Done Session::rename(MessageWriter& /*out*/, Number fid, Number folder, Text name) {
    const auto to = changing(folder, name);
    const auto found = to ? held(fid) : to;
    if (!found) {
        return std::unexpected{found.error()};
    }
    const NodePtr node = (*found)->node;
    if (const auto still = is_where_it_was(node); !still) {
        return still;
    }
    const NodePtr& target = (*to)->node;
    if (::renameat(node->parent()->fd(), node->name().c_str(), target->fd(),
                   std::string{name}.c_str()) != 0) {
        return last_error();
    }
    if (auto moved = tree_.find(target, name); moved) {
        (*found)->node = *std::move(moved);
    }
    return {};
}

Session::Done Session::is_where_it_was(const NodePtr& node) {
    if (!node->parent()) {
        return std::unexpected{EBUSY}; // the root
    }
    const auto now = tree_.find(node->parent(), node->name());
    const auto there = now ? SharedTree::status(**now) : std::unexpected{now.error()};
    const auto here = there ? SharedTree::status(*node) : there;
    if (!here) {
        return std::unexpected{here.error()};
    }
    if (there->st_ino != here->st_ino || there->st_dev != here->st_dev) {
        return std::unexpected{ESTALE};
    }
    return {};
}

Session::Done Session::renameat(MessageWriter& /*out*/, Number from, Text name, Number to,
                                Text new_name) {
    const auto source = changing(from, name);
    const auto target = source ? changing(to, new_name) : source;
    if (!target) {
        return std::unexpected{target.error()};
    }
    return outcome(::renameat((*source)->node->fd(), std::string{name}.c_str(),
                              (*target)->node->fd(), std::string{new_name}.c_str()));
}

Session::Done Session::unlinkat(MessageWriter& /*out*/, Number folder, Text name,
                                std::uint32_t flags) {
    const auto found = changing(folder, name);
    if (!found || (flags & ~unlink_directory) != 0) {
        return std::unexpected{found ? EINVAL : found.error()};
    }
    return outcome(
        ::unlinkat((*found)->node->fd(), std::string{name}.c_str(), flags != 0 ? AT_REMOVEDIR : 0));
}

// The fid is gone afterwards, whatever becomes of the file (remove(5)).
Session::Done Session::remove(MessageWriter& /*out*/, Number fid) {
    const auto found = held(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    const NodePtr node = (*found)->node;
    fids_.erase(fid);
    auto may = may_change();
    if (may) {
        may = is_where_it_was(node);
    }
    const auto status = may ? SharedTree::status(*node) : std::unexpected{may.error()};
    if (!status) {
        return std::unexpected{status.error()};
    }
    return outcome(::unlinkat(node->parent()->fd(), node->name().c_str(),
                              S_ISDIR(status->st_mode) ? AT_REMOVEDIR : 0));
}

Session::Done Session::readlink(MessageWriter& out, Number fid) {
    const auto found = held(fid);
    if (!found) {
        return std::unexpected{found.error()};
    }
    std::array<char, PATH_MAX> target;
    const ssize_t size = ::readlinkat((*found)->node->fd(), "", target.data(), target.size());
    if (size < 0) {
        return last_error();
    }
    out.put(Text{target.data(), static_cast<std::size_t>(size)});
    return {};
}

} // namespace vmm::share
