// SPDX-License-Identifier: BSD-3-Clause
// Session: from a request to its handler and back, and the fids.
#include "share/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

namespace vmm::share {

Session::Session(const std::string& path, bool read_only, std::size_t most_files)
    // A fid may have a node and an open file.
    : tree_{path, read_only, most_files / 2}, most_fids_{std::min(most_fids, most_files / 2)} {}

void Session::reset() {
    fids_.clear();
    message_size_ = largest_message;
}

std::span<const std::byte> Session::answer(const Header& header, std::span<const std::byte> body,
                                           std::size_t room) {
    const std::size_t most = std::min<std::size_t>(room, message_size_);
    reply_.resize(std::max(reply_.size(), most));
    const auto begin = [&](int type) {
        MessageWriter out{std::span{reply_}.first(most)};
        out.put<std::uint32_t>(0); // the size, when it is known
        out.put(static_cast<std::uint8_t>(type));
        out.put(header.tag);
        return out;
    };
    MessageReader in{body};
    MessageWriter out = begin(header.type + 1);
    Done done = dispatch(header.type, in, out);
    if (done && !out.fits()) {
        done = std::unexpected{EMSGSIZE};
    }
    if (!done) {
        out = begin(static_cast<int>(Message::error) + 1);
        out.put(static_cast<std::uint32_t>(done.error()));
    }
    out.replace(0, static_cast<std::uint32_t>(out.size()));
    return std::span{reply_}.first(out.size());
}

// Takes the fields that the handler has as parameters; it is not called unless they are all there
// and nothing else is.
template <typename... Fields>
Session::Done Session::call(Done (Session::*handler)(MessageWriter&, Fields...), MessageReader& in,
                            MessageWriter& out) {
    // Braces: from left to right.
    std::tuple<std::remove_cvref_t<Fields>...> fields{in.take<std::remove_cvref_t<Fields>>()...};
    if (!in.finished()) {
        return std::unexpected{EBADMSG};
    }
    return std::apply([&](const auto&... field) { return (this->*handler)(out, field...); },
                      fields);
}

Session::Done Session::dispatch(std::uint8_t type, MessageReader& in, MessageWriter& out) {
    switch (const auto message = static_cast<Message>(type); message) {
    case Message::version:
        return call(&Session::version, in, out);
    case Message::attach:
        return call(&Session::attach, in, out);
    case Message::flush:
        return call(&Session::flush, in, out);
    case Message::walk:
        return call(&Session::walk, in, out);
    case Message::clunk:
        return call(&Session::clunk, in, out);
    case Message::getattr:
        return call(&Session::getattr, in, out);
    case Message::setattr:
        return call(&Session::setattr, in, out);
    case Message::statfs:
        return call(&Session::statfs, in, out);
    case Message::auth:
    case Message::xattrwalk:
    case Message::xattrcreate:
        return std::unexpected{EOPNOTSUPP};
    default:
        return dispatch_open_files(message, in, out);
    }
}

Session::Done Session::dispatch_open_files(Message type, MessageReader& in, MessageWriter& out) {
    switch (type) {
    case Message::lopen:
        return call(&Session::lopen, in, out);
    case Message::lcreate:
        return call(&Session::lcreate, in, out);
    case Message::read:
        return call(&Session::read, in, out);
    case Message::write:
        return call(&Session::write, in, out);
    case Message::readdir:
        return call(&Session::readdir, in, out);
    case Message::fsync:
        return call(&Session::fsync, in, out);
    case Message::lock:
        return call(&Session::lock, in, out);
    case Message::getlock:
        return call(&Session::getlock, in, out);
    default:
        return dispatch_names(type, in, out);
    }
}

Session::Done Session::dispatch_names(Message type, MessageReader& in, MessageWriter& out) {
    switch (type) {
    case Message::symlink:
        return call(&Session::symlink, in, out);
    case Message::mknod:
        return call(&Session::mknod, in, out);
    case Message::mkdir:
        return call(&Session::mkdir, in, out);
    case Message::link:
        return call(&Session::link, in, out);
    case Message::rename:
        return call(&Session::rename, in, out);
    case Message::renameat:
        return call(&Session::renameat, in, out);
    case Message::unlinkat:
        return call(&Session::unlinkat, in, out);
    case Message::remove:
        return call(&Session::remove, in, out);
    case Message::readlink:
        return call(&Session::readlink, in, out);
    default:
        return std::unexpected{EOPNOTSUPP};
    }
}

Session::Done Session::version(MessageWriter& out, std::uint32_t size, Text version) {
    if (size < smallest_message) {
        return std::unexpected{EINVAL};
    }
    reset();
    message_size_ = std::min(size, largest_message);
    out.put(message_size_);
    out.put(version == "9P2000.L" ? version : Text{"unknown"});
    return {};
}

Session::Done Session::attach(MessageWriter& out, Number fid, Number auth, Text /*user*/, Text tree,
                              std::uint32_t user_number) {
    if (auth != no_fid) {
        return std::unexpected{EOPNOTSUPP};
    }
    if (!tree.empty() && tree != "/") {
        return std::unexpected{ENOENT};
    }
    const auto status = SharedTree::status(*tree_.root());
    if (!status) {
        return std::unexpected{status.error()};
    }
    out.put(tree_.qid(*status));
    return add(fid, tree_.root(), user_number);
}

Session::Done Session::flush(MessageWriter& /*out*/, std::uint16_t /*tag*/) {
    return {};
}

// walk(5): all names, and `to` is a fid from then on; or only some, and it is none. The first name
// must be there.
Session::Done Session::walk(MessageWriter& out, Number from, Number to,
                            const std::vector<Text>& names) {
    const auto fid = held(from);
    if (!fid) {
        return std::unexpected{fid.error()};
    }
    NodePtr node = (*fid)->node;
    const std::uint32_t user = (*fid)->user;
    const std::size_t count_at = out.size();
    out.put<std::uint16_t>(0);
    std::uint16_t walked = 0;
    for (const Text name : names) {
        const NodePtr& above = node->parent() ? node->parent() : node;
        auto next = name == ".." ? Result<NodePtr>{above} : tree_.find(node, name);
        const auto status = next ? SharedTree::status(**next) : std::unexpected{next.error()};
        if (!status) {
            if (walked == 0) {
                return std::unexpected{status.error()};
            }
            break;
        }
        node = *std::move(next);
        out.put(tree_.qid(*status));
        ++walked;
    }
    out.replace(count_at, walked);
    if (walked < names.size()) {
        return {};
    }
    if (from == to) {
        fids_.erase(from);
    }
    return add(to, std::move(node), user);
}

Session::Done Session::clunk(MessageWriter& /*out*/, Number fid) {
    if (fids_.erase(fid) == 0) {
        return std::unexpected{EBADF};
    }
    return {};
}

Result<Session::Fid*> Session::held(Number number) {
    const auto found = fids_.find(number);
    if (found == fids_.end()) {
        return std::unexpected{EBADF};
    }
    return &found->second;
}

Result<Session::Fid*> Session::opened(Number number) {
    const auto fid = held(number);
    if (fid && !(*fid)->io) {
        return std::unexpected{EBADF};
    }
    return fid;
}

Result<Session::Fid*> Session::changing(Number number, Text name) {
    if (const auto may = may_change(); !may) {
        return std::unexpected{may.error()};
    }
    if (!is_entry_name(name)) {
        return std::unexpected{EINVAL};
    }
    return held(number);
}

Session::Done Session::add(Number number, NodePtr node, std::uint32_t user) {
    if (number == no_fid || fids_.contains(number)) {
        return std::unexpected{EBADF};
    }
    if (fids_.size() >= most_fids_) {
        return std::unexpected{ENFILE};
    }
    fids_.emplace(number, Fid{.node = std::move(node), .user = user, .io = {}});
    return {};
}

Session::Done Session::may_change() const {
    if (tree_.read_only()) {
        return std::unexpected{EROFS};
    }
    return {};
}

} // namespace vmm::share
