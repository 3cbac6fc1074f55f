// SPDX-License-Identifier: BSD-3-Clause
// SharedTree: openat2(2) for every step, /proc/self/fd to open what a node holds.
#include "share/shared_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <bit>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm::share {
namespace {

using gunyah::FileDescriptor;

constexpr std::size_t longest_name = 255;

// One step down. The rules repeat what is_entry_name() has made sure of.
FileDescriptor step(int folder, const std::string& name) {
    open_how how{};
    how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    return FileDescriptor{
        static_cast<int>(::syscall(SYS_openat2, folder, name.c_str(), &how, sizeof(how)))};
}

std::string number(const Node& node) {
    return fmt::format("{}", node.fd());
}

std::uint8_t qid_type(mode_t mode) {
    if (S_ISDIR(mode)) {
        return qid_directory;
    }
    return S_ISLNK(mode) ? qid_symlink : qid_file;
}

} // namespace

std::unexpected<int> last_error() {
    return std::unexpected{errno};
}

bool is_entry_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name && name != "." && name != ".." &&
           name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

Node::Node(SharedTree& tree, FileDescriptor path, NodePtr parent, std::string_view name)
    : tree_{tree}, path_{std::move(path)}, parent_{std::move(parent)}, name_{name},
      depth_{parent_ ? parent_->depth() + 1 : 0} {
    ++tree_.nodes_;
}

Node::~Node() {
    --tree_.nodes_;
}

SharedTree::SharedTree(const std::string& path, bool read_only, std::size_t most_nodes)
    : read_only_{read_only}, most_nodes_{most_nodes},
      own_descriptors_{::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC)} {
    const std::string failed = fmt::format("cannot share the directory {}", path);
    if (!own_descriptors_) {
        throw gunyah::Error::from_errno(errno, failed, "there is no /proc/self/fd", "mount /proc");
    }
    // Opened for reading first: what cannot be read is no use to a guest.
    const FileDescriptor readable{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    FileDescriptor root{readable ? ::openat(readable.get(), ".", O_PATH | O_CLOEXEC) : -1};
    if (!root) {
        throw gunyah::Error::from_errno(errno, failed, "", "give a directory that you may read");
    }
    root_ = std::make_shared<Node>(*this, std::move(root), nullptr, "/");
    if (const auto found = status(*root_)) {
        device_ = found->st_dev;
    }
}

Result<NodePtr> SharedTree::keep(FileDescriptor path, const NodePtr& parent,
                                 std::string_view name) {
    if (!path) {
        return last_error();
    }
    if (nodes_ >= most_nodes_) {
        return std::unexpected{ENFILE};
    }
    if (parent->depth() >= most_depth) {
        return std::unexpected{ENAMETOOLONG};
    }
    return std::make_shared<Node>(*this, std::move(path), parent, name);
}

Result<NodePtr> SharedTree::find(const NodePtr& parent, std::string_view name) {
    if (!is_entry_name(name)) {
        return std::unexpected{ENOENT};
    }
    return keep(step(parent->fd(), std::string{name}), parent, name);
}

Result<NodePtr> SharedTree::adopt(const NodePtr& parent, std::string_view name, int file) {
    return keep(FileDescriptor{::openat(own_descriptors_.get(), fmt::format("{}", file).c_str(),
                                        O_PATH | O_CLOEXEC)},
                parent, name);
}

Result<FileDescriptor> SharedTree::open(const Node& node, int flags) const {
    const auto found = status(node);
    if (!found) {
        return std::unexpected{found.error()};
    }
    const bool is_directory = S_ISDIR(found->st_mode);
    if (!is_directory && !S_ISREG(found->st_mode)) {
        return std::unexpected{S_ISLNK(found->st_mode) ? ELOOP : ENXIO};
    }
    constexpr int always = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    FileDescriptor file{
        is_directory ? ::openat(node.fd(), ".", flags | always | O_DIRECTORY)
                     : ::openat(own_descriptors_.get(), number(node).c_str(), flags | always)};
    if (!file) {
        return last_error();
    }
    return file;
}

Result<void> SharedTree::change_mode(const Node& node, mode_t mode) const {
    const auto found = status(node);
    if (!found || S_ISLNK(found->st_mode)) {
        return std::unexpected{found ? EOPNOTSUPP : found.error()};
    }
    if (::fchmodat(own_descriptors_.get(), number(node).c_str(), mode, 0) != 0) {
        return last_error();
    }
    return {};
}

Result<void> SharedTree::link(const Node& node, const Node& folder, std::string_view name) const {
    if (!is_entry_name(name)) {
        return std::unexpected{EINVAL};
    }
    if (::linkat(own_descriptors_.get(), number(node).c_str(), folder.fd(),
                 std::string{name}.c_str(), AT_SYMLINK_FOLLOW) != 0) {
        return last_error();
    }
    return {};
}

Result<struct stat> SharedTree::status(const Node& node) {
    struct stat found{};
    if (::fstatat(node.fd(), "", &found, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
        return last_error();
    }
    return found;
}

// A file system mounted below the root has inode numbers of its own.
Qid SharedTree::qid(const struct stat& status) const {
    const std::uint64_t other_device = std::rotl(status.st_dev ^ device_, 40);
    return {.type = qid_type(status.st_mode), .version = 0, .path = status.st_ino ^ other_device};
}

Qid SharedTree::qid(std::uint64_t inode, std::uint64_t device, unsigned char type) const {
    struct stat status{};
    status.st_ino = inode;
    status.st_dev = device;
    status.st_mode = DTTOIF(type);
    return qid(status);
}

} // namespace vmm::share
