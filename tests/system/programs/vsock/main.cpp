// SPDX-License-Identifier: BSD-3-Clause
// vsock-pipe: sends standard input into a vsock connection, or echoes, or takes what comes.
//
//   vsock-pipe connect CID PORT   copies stdin into a connection, then waits for its other end
//   vsock-pipe echo PORT          accepts for ever; sends back what comes, until the other end
//   vsock-pipe take PATH          accepts once at a unix socket; copies what comes to stdout
#include <sys/socket.h>
// Needs what stands above.
#include <linux/vm_sockets.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void require(bool condition, const char* what) {
    if (!condition) {
        std::fprintf(stderr, "vsock-pipe: %s: %s\n", what, std::strerror(errno));
        std::exit(1);
    }
}

int open_socket(int family) {
    const int socket = ::socket(family, SOCK_STREAM, 0);
    require(socket >= 0, "socket");
    return socket;
}

// Until `from` ends; false if `to` does not take it.
bool copy(int from, int to) {
    static std::array<char, 65536> buffer;
    for (ssize_t count = 0; (count = ::read(from, buffer.data(), buffer.size())) > 0;) {
        for (ssize_t done = 0; done < count;) {
            const ssize_t written =
                ::write(to, buffer.data() + done, static_cast<std::size_t>(count - done));
            if (written <= 0) {
                return false;
            }
            done += written;
        }
    }
    return true;
}

sockaddr_vm vsock_address(unsigned cid, const char* port) {
    sockaddr_vm address{};
    address.svm_family = AF_VSOCK;
    address.svm_cid = cid;
    address.svm_port = static_cast<unsigned>(std::strtoul(port, nullptr, 10));
    return address;
}

int connect_and_send(const char* cid, const char* port) {
    const int socket = open_socket(AF_VSOCK);
    const auto address = vsock_address(static_cast<unsigned>(std::strtoul(cid, nullptr, 10)), port);
    require(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0,
            "connect");
    require(copy(STDIN_FILENO, socket), "write");
    require(::shutdown(socket, SHUT_WR) == 0, "shutdown");
    copy(socket, STDOUT_FILENO);
    return 0;
}

int echo(const char* port) {
    const int listener = open_socket(AF_VSOCK);
    const auto address = vsock_address(VMADDR_CID_ANY, port);
    require(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                ::listen(listener, 64) == 0,
            "listen");
    std::signal(SIGCHLD, SIG_IGN); // nobody waits for them
    for (;;) {
        const int socket = ::accept(listener, nullptr, nullptr);
        require(socket >= 0, "accept");
        if (::fork() == 0) {
            std::_Exit(copy(socket, socket) ? 0 : 1);
        }
        ::close(socket);
    }
}

int take(const char* path) {
    const int listener = open_socket(AF_UNIX);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    require(std::strlen(path) < sizeof(address.sun_path), "path");
    std::memcpy(address.sun_path, path, std::strlen(path));
    ::unlink(path);
    require(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                ::listen(listener, 1) == 0,
            "listen");
    const int socket = ::accept(listener, nullptr, nullptr);
    require(socket >= 0, "accept");
    copy(socket, STDOUT_FILENO);
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 2 ? argv[1] : "";
    std::signal(SIGPIPE, SIG_IGN);
    if (mode == "connect" && argc == 4) {
        return connect_and_send(argv[2], argv[3]);
    }
    if (mode == "echo") {
        return echo(argv[2]);
    }
    if (mode == "take") {
        return take(argv[2]);
    }
    std::fprintf(stderr, "usage: vsock-pipe connect CID PORT | echo PORT | take PATH\n");
    return 2;
}
