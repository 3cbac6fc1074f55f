// SPDX-License-Identifier: BSD-3-Clause
// join_vsock(): the handshake, then a copy in each direction.
#include "app/vsock_client.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <span>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

// Reads "OK port\n", byte by byte: what follows is the guest's.
bool accepted(int socket) {
    std::string line;
    for (char letter = 0; line.size() < 32 && ::recv(socket, &letter, 1, 0) == 1;) {
        if (letter == '\n') {
            return line.starts_with("OK ");
        }
        line += letter;
    }
    return false;
}

bool write_all(int fd, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return true;
}

void copy(int from, int to) {
    std::vector<std::byte> buffer(64 * 1024);
    for (;;) {
        const ssize_t count = ::read(from, buffer.data(), buffer.size());
        const bool go_on =
            count < 0 ? errno == EINTR
                      : count > 0 &&
                            write_all(to, std::span{buffer}.first(static_cast<std::size_t>(count)));
        if (!go_on) {
            return;
        }
    }
}

} // namespace

void join_vsock(const std::string& path, std::uint32_t port) {
    const std::string failed = fmt::format("cannot connect to port {} of the guest", port);
    std::signal(SIGPIPE, SIG_IGN);
    static gunyah::FileDescriptor socket; // outlives the thread
    socket = connect_unix(path, true);
    if (!socket) {
        throw Error{ErrorKind::not_found, failed, fmt::format("nobody listens at {}", path), ""};
    }
    const std::string greeting = fmt::format("CONNECT {}\n", port);
    if (!write_all(socket.get(), std::as_bytes(std::span{greeting})) || !accepted(socket.get())) {
        throw Error{ErrorKind::failed, failed, "the guest refused",
                    "look whether a program in it listens at that vsock port"};
    }
    // A thread of its own: neither direction may wait for the other one. It ends with the process.
    std::thread{[fd = socket.get()] {
        copy(STDIN_FILENO, fd);
        ::shutdown(fd, SHUT_WR);
    }}.detach();
    copy(socket.get(), STDOUT_FILENO);
}

} // namespace vmm
