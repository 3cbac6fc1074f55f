// SPDX-License-Identifier: BSD-3-Clause
// Unix sockets by path, in a folder that only their user can enter.
#include "app/runtime_folder.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;
using gunyah::FileDescriptor;

constexpr const char* suffix = ".sock";

FileDescriptor make_socket() {
    return FileDescriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
}

void make_private_folder(const std::string& folder) {
    const std::string failed = fmt::format("cannot use {} for sockets", folder);
    struct stat status{};
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        throw Error::from_errno(errno, failed, "", "set XDG_RUNTIME_DIR to a folder of yours");
    }
    if (::lstat(folder.c_str(), &status) != 0) {
        throw Error::from_errno(errno, failed);
    }
    const bool is_private =
        S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 0077) == 0;
    if (!is_private) {
        throw Error{ErrorKind::permission_denied, failed,
                    "it is not a folder that only you can enter", "remove it, or chmod 700 it"};
    }
}

FileDescriptor listen(const std::string& path, const char* taken, const char* advice) {
    const std::string failed = fmt::format("cannot listen at {}", path);
    const auto address = unix_address(path);
    if (!address) {
        throw Error{ErrorKind::invalid_input, failed, "the path is too long for a socket",
                    "use a shorter one"};
    }
    if (connect_to(path)) {
        throw Error{ErrorKind::busy, failed, taken, advice};
    }
    ::unlink(path.c_str());
    FileDescriptor socket = make_socket();
    constexpr int backlog = 16;
    // The file gets its permissions from the socket: for this user only from the first moment on.
    if (!socket || ::fchmod(socket.get(), 0600) != 0 ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        throw Error::from_errno(errno, failed);
    }
    return socket;
}

} // namespace

std::string runtime_folder() {
    if (::geteuid() == 0) {
        return "/run/gunyah";
    }
    const char* base = std::getenv("XDG_RUNTIME_DIR");
    return base != nullptr && *base == '/' ? fmt::format("{}/gunyah", base)
                                           : fmt::format("/tmp/gunyah-{}", ::geteuid());
}

std::string control_path(const std::string& name) {
    return fmt::format("{}/{}{}", runtime_folder(), name, suffix);
}

std::string default_vsock_path(const std::string& name) {
    return fmt::format("{}/{}.vsock", runtime_folder(), name);
}

std::vector<std::string> socket_names() {
    std::vector<std::string> names;
    std::error_code ignored; // no folder: no VMs
    for (const auto& entry : std::filesystem::directory_iterator{runtime_folder(), ignored}) {
        if (entry.path().extension() == suffix) {
            names.push_back(entry.path().stem().string());
        }
    }
    std::ranges::sort(names);
    return names;
}

FileDescriptor listen_at(const std::string& path) {
    make_private_folder(std::filesystem::path{path}.parent_path().string());
    return listen(path, "a VM of that name is running", "use another --name, or stop that VM");
}

FileDescriptor listen_anywhere(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
        throw Error{ErrorKind::busy, fmt::format("cannot listen at {}", path),
                    "there is something else than a socket", "remove it, or use another path"};
    }
    return listen(path, "somebody listens there already", "use another path");
}

FileDescriptor connect_to(const std::string& path) {
    const auto address = unix_address(path);
    FileDescriptor socket = make_socket();
    if (address && socket &&
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) ==
            0) {
        return socket;
    }
    return FileDescriptor{};
}

} // namespace vmm
