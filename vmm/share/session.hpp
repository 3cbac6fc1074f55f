// SPDX-License-Identifier: BSD-3-Clause
// Session: the server's side of one 9P2000.L connection over a shared tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "share/message_reader.hpp"
#include "share/message_writer.hpp"
#include "share/protocol.hpp"
#include "share/shared_tree.hpp"

namespace vmm::share {

// A request is answered before the next one is looked at: flush never finds anything under way.
//
// A fid, which the client names by a number, is in one of two states:
//
//   attach, walk --> held --- lopen, lcreate ---> open (read, write, readdir, lock, fsync)
//                     |                            |
//                     +------ clunk, remove -------+--> gone; version ends all fids
//
// What the guest can rely on, and what it cannot have:
//   - new files belong to the user and group that ask for them where the VMM may give files away,
//     else to the VMM's user; set-user-ID, set-group-ID bits are left out, devices refused, so that
//     no guest leaves behind what a user of the host should not run or open
//   - symbolic links are the guest's to follow: the server follows none
//   - locks are the host's, of one open file each, a writer's only if it was opened for writing,
//   and
//     never waited for: "blocked", the client asks again
//   - no extended attributes, no authentication
class Session {
public:
    // Sizes of a message, header included. The guest chooses one between.
    static constexpr std::uint32_t smallest_message = 4096;
    static constexpr std::uint32_t largest_message = 512 * 1024;
    static constexpr std::size_t most_fids = 16384;

    // `most_files`: how many descriptors this session may hold, at least 2.
    Session(const std::string& path, bool read_only, std::size_t most_files);

    // Carries out a request with the fields `body`; the reply, at most `room` bytes of it (at least
    // Header::error_size), stays valid until the next call.
    std::span<const std::byte> answer(const Header& header, std::span<const std::byte> body,
                                      std::size_t room);

    // The connection ended: forgets everything.
    void reset();

private:
    using Number = std::uint32_t; // of a fid
    using Text = std::string_view;
    using Bytes = std::span<const std::byte>;
    using Done = Result<void>;

    struct Fid {
        NodePtr node;
        std::uint32_t user;        // who attached
        gunyah::FileDescriptor io; // once opened
    };

    Done dispatch(std::uint8_t type, MessageReader& in, MessageWriter& out);
    Done dispatch_names(Message type, MessageReader& in, MessageWriter& out);
    Done dispatch_open_files(Message type, MessageReader& in, MessageWriter& out);
    template <typename... Fields>
    Done call(Done (Session::*handler)(MessageWriter&, Fields...), MessageReader& in,
              MessageWriter& out);

    // Connection and fids: session.cpp.
    Done version(MessageWriter& out, std::uint32_t size, Text version);
    Done attach(MessageWriter& out, Number fid, Number auth, Text user, Text tree,
                std::uint32_t user_number);
    Done flush(MessageWriter& out, std::uint16_t tag);
    Done walk(MessageWriter& out, Number from, Number to, const std::vector<Text>& names);
    Done clunk(MessageWriter& out, Number fid);

    // Attributes: session_attributes.cpp.
    Done getattr(MessageWriter& out, Number fid, std::uint64_t mask);
    Done setattr(MessageWriter& out, Number fid, std::uint32_t valid, std::uint32_t mode,
                 std::uint32_t user, std::uint32_t group, std::uint64_t size,
                 std::uint64_t atime_seconds, std::uint64_t atime_nanoseconds,
                 std::uint64_t mtime_seconds, std::uint64_t mtime_nanoseconds);
    Done statfs(MessageWriter& out, Number fid);
    Done truncate(const Fid& fid, std::uint64_t size) const;

    // What is open: session_files.cpp.
    Done lopen(MessageWriter& out, Number fid, std::uint32_t flags);
    Done lcreate(MessageWriter& out, Number fid, Text name, std::uint32_t flags, std::uint32_t mode,
                 std::uint32_t group);
    Done read(MessageWriter& out, Number fid, std::uint64_t offset, std::uint32_t count);
    Done write(MessageWriter& out, Number fid, std::uint64_t offset, Bytes data);
    Done readdir(MessageWriter& out, Number fid, std::uint64_t offset, std::uint32_t count);
    Done fsync(MessageWriter& out, Number fid, std::uint32_t data_only);
    Done lock(MessageWriter& out, Number fid, std::uint8_t type, std::uint32_t flags,
              std::uint64_t start, std::uint64_t length, std::uint32_t process, Text client);
    Done getlock(MessageWriter& out, Number fid, std::uint8_t type, std::uint64_t start,
                 std::uint64_t length, std::uint32_t process, Text client);
    // Opens what may have been there when lcreate came.
    Result<gunyah::FileDescriptor> create_or_open(const Fid& folder, Text name, int flags,
                                                  std::uint32_t mode, std::uint32_t group,
                                                  NodePtr& node);
    bool put_entries(MessageWriter& out, const Node& folder, std::uint64_t device, Bytes entries,
                     std::size_t count) const;

    // Names: session_names.cpp.
    Done symlink(MessageWriter& out, Number folder, Text name, Text target, std::uint32_t group);
    Done mknod(MessageWriter& out, Number folder, Text name, std::uint32_t mode,
               std::uint32_t major, std::uint32_t minor, std::uint32_t group);
    Done mkdir(MessageWriter& out, Number folder, Text name, std::uint32_t mode,
               std::uint32_t group);
    Done link(MessageWriter& out, Number folder, Number fid, Text name);
    Done rename(MessageWriter& out, Number fid, Number folder, Text name);
    Done renameat(MessageWriter& out, Number from, Text name, Number to, Text new_name);
    Done unlinkat(MessageWriter& out, Number folder, Text name, std::uint32_t flags);
    Done remove(MessageWriter& out, Number fid);
    Done readlink(MessageWriter& out, Number fid);

    // The fid called `number`; EBADF if there is none.
    Result<Fid*> held(Number number);
    // Its file, opened by lopen or lcreate.
    Result<Fid*> opened(Number number);
    // A fid whose directory is going to get, lose or rename `name`.
    Result<Fid*> changing(Number number, Text name);
    Done add(Number number, NodePtr node, std::uint32_t user);
    [[nodiscard]] Done may_change() const;
    // Whether `node` still has the name it was found by: ESTALE or the error of looking if not.
    [[nodiscard]] Done is_where_it_was(const NodePtr& node);
    // Gives what has just been made under `name` its owner and mode, and puts its qid.
    Done settle(MessageWriter& out, const Fid& folder, Text name, std::uint32_t mode,
                std::uint32_t group);
    // As far as the VMM may give files away.
    void give_to(const Node& node, std::uint32_t user, std::uint32_t group) const;

    SharedTree tree_;
    std::size_t most_fids_;
    std::uint32_t message_size_ = largest_message;
    std::unordered_map<Number, Fid> fids_;
    std::vector<std::byte> reply_;
};

// The mode bits that a guest may give.
constexpr std::uint32_t permission_bits = 01777;

} // namespace vmm::share
