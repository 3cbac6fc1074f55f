// SPDX-License-Identifier: BSD-3-Clause
// Unix stream sockets: address, connect, listen.
#include "vsock/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;
using gunyah::FileDescriptor;

constexpr int backlog = 64;

FileDescriptor make_socket(int flags) {
    return FileDescriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)};
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

// Also one that has no time for more connections.
bool has_listener(const sockaddr_un& address) {
    const FileDescriptor socket = make_socket(SOCK_NONBLOCK);
    return socket &&
           (::connect(socket.get(), generic(address), sizeof(address)) == 0 || errno == EAGAIN);
}

} // namespace

std::optional<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        return std::nullopt;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

FileDescriptor connect_unix(const std::string& path, bool blocking) {
    const auto address = unix_address(path);
    FileDescriptor socket = make_socket(blocking ? 0 : SOCK_NONBLOCK);
    if (!address || !socket || ::connect(socket.get(), generic(*address), sizeof(*address)) != 0) {
        return FileDescriptor{};
    }
    return socket;
}

FileDescriptor listen_unix(const std::string& path, const ListenWords& words) {
    const std::string failed = fmt::format("{}{}cannot listen at {}", words.option,
                                           words.option.empty() ? "" : ": ", path);
    const auto address = unix_address(path);
    if (!address) {
        throw Error{ErrorKind::invalid_input, failed, "the path is too long for a socket",
                    "use a shorter one"};
    }
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) {
            throw Error{ErrorKind::busy, failed, "there is something else than a socket",
                        "remove it, or use another path"};
        }
        if (has_listener(*address)) {
            throw Error{ErrorKind::busy, failed, words.taken, words.advice};
        }
        ::unlink(path.c_str());
    }
    FileDescriptor socket = make_socket(SOCK_NONBLOCK);
    // The mode of a socket before bind(2) becomes that of its file: nobody else ever sees it open.
    if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
        ::bind(socket.get(), generic(*address), sizeof(*address)) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        throw Error::from_errno(errno, failed, "", "use a path in a folder of yours");
    }
    return socket;
}

} // namespace vmm
