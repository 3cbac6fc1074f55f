// SPDX-License-Identifier: BSD-3-Clause
// ConsoleEndpoint: opens what --console names.
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "app/console_endpoint.hpp"
#include "app/terminal.hpp"
#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::FileDescriptor;

ConsoleEndpoint open_stdio() {
    ConsoleEndpoint endpoint;
    endpoint.input = STDIN_FILENO;
    endpoint.output = STDOUT_FILENO;
    endpoint.is_terminal = ::isatty(STDIN_FILENO) != 0;
    return endpoint;
}

ConsoleEndpoint open_file(const std::string& path) {
    ConsoleEndpoint endpoint;
    endpoint.owned =
        FileDescriptor{::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (!endpoint.owned) {
        throw Error::from_errno(errno, fmt::format("cannot write the console to {}", path));
    }
    endpoint.output = endpoint.owned.get();
    endpoint.place = path;
    return endpoint;
}

ConsoleEndpoint open_pty() {
    const std::string failed = "cannot create a pseudo-terminal";
    ConsoleEndpoint endpoint;
    endpoint.owned = FileDescriptor{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
    const int fd = endpoint.owned.get();
    std::array<char, 64> name{};
    if (fd < 0 || ::grantpt(fd) != 0 || ::unlockpt(fd) != 0 ||
        ::ptsname_r(fd, name.data(), name.size()) != 0) {
        throw Error::from_errno(errno, failed);
    }
    endpoint.place = name.data();
    // Our own hold on the other end: without one, reads fail whenever nobody has it open.
    endpoint.keep_open = FileDescriptor{::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    termios settings{};
    if (!endpoint.keep_open || ::tcgetattr(endpoint.keep_open.get(), &settings) != 0) {
        throw Error::from_errno(errno, failed);
    }
    settings = raw_settings(settings);
    ::tcsetattr(endpoint.keep_open.get(), TCSANOW, &settings);
    endpoint.input = fd;
    endpoint.output = fd;
    endpoint.slow = ConsoleOutput::Slow::skip;
    return endpoint;
}

ConsoleEndpoint open_socket(const std::string& path) {
    ConsoleEndpoint endpoint;
    endpoint.listener = listen_unix(path);
    endpoint.place = path;
    return endpoint;
}

ConsoleEndpoint open_place(const ConsoleOption& option) {
    if (!option.socket.empty()) {
        return open_socket(option.socket);
    }
    if (!option.file.empty()) {
        return open_file(option.file);
    }
    if (option.to == "none") {
        return {};
    }
    if (option.to == "pty") {
        return open_pty();
    }
    return option.to == "stdio" ? open_stdio() : open_file(option.to);
}

} // namespace

ConsoleEndpoint ConsoleEndpoint::open(const ConsoleOption& option) {
    ConsoleEndpoint endpoint = open_place(option);
    endpoint.name = option.name;
    return endpoint;
}

} // namespace vmm
