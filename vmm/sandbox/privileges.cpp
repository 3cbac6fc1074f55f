// SPDX-License-Identifier: BSD-3-Clause
// enter_sandbox(): namespaces first, which need privileges, then the privileges.
#include "sandbox/privileges.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "libgunyah/file_descriptor.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;
using gunyah::FileDescriptor;

constexpr id_t nobody = 65534;

// To read, write and make files of anybody.
constexpr std::uint32_t capabilities_for_files =
    CAP_TO_MASK(CAP_CHOWN) | CAP_TO_MASK(CAP_DAC_OVERRIDE) | CAP_TO_MASK(CAP_DAC_READ_SEARCH) |
    CAP_TO_MASK(CAP_FOWNER) | CAP_TO_MASK(CAP_FSETID);

struct Namespace {
    int flag;
    const char* missing;
};

constexpr std::array namespaces{
    Namespace{CLONE_NEWNS, "mount namespace of its own: it sees this machine's files"},
    Namespace{CLONE_NEWNET, "network namespace of its own: it can reach the network"},
    Namespace{CLONE_NEWIPC, "IPC namespace of its own"},
    Namespace{CLONE_NEWUTS, "host name of its own"},
};

std::string missing(std::string_view what, int error_number) {
    return fmt::format("the sandbox has no {} ({})", what, std::strerror(error_number));
}

std::optional<id_t> parse_id(std::string_view text) {
    id_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return value;
}

// The part of `line` up to the next colon, which is taken off.
std::string_view take_field(std::string_view& line) {
    const std::string_view field = line.substr(0, line.find(':'));
    line.remove_prefix(std::min(line.size(), field.size() + 1));
    return field;
}

bool write_file(const char* path, const std::string& text) {
    const FileDescriptor file{::open(path, O_WRONLY | O_CLOEXEC)};
    return file &&
           ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// A user namespace in which this user is itself and nobody else exists.
bool enter_user_namespace() {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    return ::unshare(CLONE_NEWUSER) == 0 && write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/uid_map", fmt::format("{} {} 1", user, user)) &&
           write_file("/proc/self/gid_map", fmt::format("{} {} 1", group, group));
}

// Makes the file system at the current folder the root. pivot_root(2) does not do it where the root
// is the first of all, as in an initramfs; there the new one is moved over it.
bool make_root_here() {
    if (::syscall(SYS_pivot_root, ".", ".") == 0) {
        // The old root lies over the new one now.
        return ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0;
    }
    return ::mount(".", "/", nullptr, MS_MOVE, nullptr) == 0 && ::chroot(".") == 0 &&
           ::chdir("/") == 0;
}

bool empty_root(const std::string& mount_point) {
    constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    // Nothing of what follows may be seen by others.
    return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("none", mount_point.c_str(), "tmpfs", flags, "size=4k,mode=0555") == 0 &&
           ::chdir(mount_point.c_str()) == 0 && make_root_here() &&
           ::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY | flags, nullptr) == 0;
}

void enter_namespaces(const std::string& mount_point, std::vector<std::string>& warnings) {
    if (::geteuid() != 0 && !enter_user_namespace()) {
        warnings.push_back(
            missing("namespaces of its own: this machine lets only root make them", errno));
        return;
    }
    for (const Namespace& each : namespaces) {
        if (::unshare(each.flag) != 0) {
            warnings.push_back(missing(each.missing, errno));
        } else if (each.flag == CLONE_NEWNS && !empty_root(mount_point)) {
            warnings.push_back(
                missing("root folder of its own: it sees this machine's files", errno));
        }
    }
}

void become(const UserIds& ids) {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(ids.group, ids.group, ids.group) != 0 ||
        ::setresuid(ids.user, ids.user, ids.user) != 0) {
        throw Error::from_errno(errno,
                                fmt::format("cannot become user {} for the sandbox", ids.user), "",
                                "use another --user, or --no-sandbox");
    }
}

// All but those of `kept`, a mask: those of a user namespace, and of root that stays root.
void drop_capabilities(std::uint32_t kept, std::vector<std::string>& warnings) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
    data[0].effective = kept;
    data[0].permitted = kept;
    if (::syscall(SYS_capset, &header, data) != 0) {
        warnings.push_back(missing("way to give up its capabilities", errno));
    }
}

UserIds user_for_root(const std::string& wanted) {
    std::ifstream file{"/etc/passwd"};
    const std::string passwd{std::istreambuf_iterator<char>{file}, {}};
    if (wanted.empty()) {
        return find_user("gunyah", passwd).value_or(UserIds{nobody, nobody});
    }
    const auto found = find_user(wanted, passwd);
    if (!found) {
        throw Error{ErrorKind::not_found, fmt::format("--user {}", wanted), "there is no such user",
                    "give a name of /etc/passwd, or a number"};
    }
    if (found->user == 0) {
        throw Error{ErrorKind::invalid_input, fmt::format("--user {}", wanted),
                    "this is root, which the sandbox gives up",
                    "give another one, or --no-sandbox"};
    }
    return *found;
}

} // namespace

std::optional<UserIds> find_user(std::string_view name, std::string_view passwd) {
    const auto number = parse_id(name);
    while (!passwd.empty()) {
        std::string_view line = passwd.substr(0, passwd.find('\n'));
        passwd.remove_prefix(std::min(passwd.size(), line.size() + 1));
        const std::string_view user_name = take_field(line);
        take_field(line); // the password is elsewhere
        const auto user = parse_id(take_field(line));
        const auto group = parse_id(take_field(line));
        if (user && group && (user_name == name || user == number)) {
            return UserIds{*user, *group};
        }
    }
    return number ? std::optional{UserIds{*number, *number}} : std::nullopt;
}

std::vector<std::string> enter_sandbox(const SandboxSettings& settings) {
    std::vector<std::string> warnings;
    const bool is_root = ::geteuid() == 0;
    const bool stays_root = is_root && settings.keeps_files && settings.user.empty();
    const UserIds ids = is_root ? user_for_root(settings.user) : UserIds{};
    enter_namespaces(settings.mount_point, warnings);
    if (is_root && !stays_root) {
        become(ids);
    }
    drop_capabilities(stays_root ? capabilities_for_files : 0, warnings);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        warnings.push_back(missing("bar against new privileges", errno));
    }
    return warnings;
}

} // namespace vmm
