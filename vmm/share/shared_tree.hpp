// SPDX-License-Identifier: BSD-3-Clause
// SharedTree: a directory of the host and what is below it, with no way out.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "libgunyah/file_descriptor.hpp"
#include "share/protocol.hpp"

namespace vmm::share {

// A value, or an errno.
template <typename T>
using Result = std::expected<T, int>;

// The errno of the call that just failed.
std::unexpected<int> last_error();

class SharedTree;

// A file, directory or symbolic link of a tree, held by a descriptor that cannot be read or written
// (O_PATH) and stays with it wherever it is moved.
class Node {
public:
    Node(SharedTree& tree, gunyah::FileDescriptor path, std::shared_ptr<Node> parent,
         std::string_view name);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    [[nodiscard]] int fd() const { return path_.get(); }
    // Where it was found, which is not where it must be now; the root has no parent.
    [[nodiscard]] const std::shared_ptr<Node>& parent() const { return parent_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] unsigned depth() const { return depth_; }

private:
    SharedTree& tree_;
    gunyah::FileDescriptor path_;
    std::shared_ptr<Node> parent_;
    std::string name_;
    unsigned depth_;
};
using NodePtr = std::shared_ptr<Node>;

// Every step goes from a node by one name that is neither ".." nor a path, and follows no symbolic
// link: that is what keeps a guest inside. One thread at a time; outlives its nodes.
class SharedTree {
public:
    // Deeper directories cannot be walked to.
    static constexpr unsigned most_depth = 256;

    // Throws gunyah::Error when `path` is no directory that can be read. At most `most_nodes` nodes
    // exist at once (each is an open descriptor).
    SharedTree(const std::string& path, bool read_only, std::size_t most_nodes);

    [[nodiscard]] bool read_only() const { return read_only_; }
    [[nodiscard]] const NodePtr& root() const { return root_; }

    // What is called `name` in the directory `parent`; symbolic links as themselves.
    Result<NodePtr> find(const NodePtr& parent, std::string_view name);
    // The node of a file just made and opened as `file`.
    Result<NodePtr> adopt(const NodePtr& parent, std::string_view name, int file);

    // Opens a regular file or a directory for reading or writing; `flags` as of open(2). Nothing
    // else can be opened: a FIFO would block, a device act.
    [[nodiscard]] Result<gunyah::FileDescriptor> open(const Node& node, int flags) const;
    [[nodiscard]] Result<void> change_mode(const Node& node, mode_t mode) const;
    // A further name for `node`.
    [[nodiscard]] Result<void> link(const Node& node, const Node& folder,
                                    std::string_view name) const;

    [[nodiscard]] static Result<struct stat> status(const Node& node);
    [[nodiscard]] Qid qid(const struct stat& status) const;
    // From what a directory says of an entry in it; `device` is the directory's.
    [[nodiscard]] Qid qid(std::uint64_t inode, std::uint64_t device, unsigned char type) const;

private:
    friend class Node;
    [[nodiscard]] Result<NodePtr> keep(gunyah::FileDescriptor path, const NodePtr& parent,
                                       std::string_view name);

    bool read_only_;
    std::size_t most_nodes_;
    std::size_t nodes_ = 0;
    gunyah::FileDescriptor own_descriptors_; // /proc/self/fd
    std::uint64_t device_ = 0;               // of the root
    NodePtr root_;
};

// Whether `name` can name an entry of a directory: no path, neither "." nor "..".
bool is_entry_name(std::string_view name);

} // namespace vmm::share
