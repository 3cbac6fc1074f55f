// SPDX-License-Identifier: BSD-3-Clause
// Unix sockets by path, in a folder that only their user can enter.
#include "app/runtime_folder.hpp"

#include <sys/stat.h>
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
    return listen_unix(path, {.taken = "a VM of that name is running",
                              .advice = "use another --name, or stop that VM"});
}

} // namespace vmm
