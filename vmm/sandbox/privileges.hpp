// SPDX-License-Identifier: BSD-3-Clause
// enter_sandbox(): gives up root, the file system, the network, and the way back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace vmm {

struct UserIds {
    uid_t user;
    gid_t group;

    bool operator==(const UserIds&) const = default;
};

// The user `name`, or number, by the text of /etc/passwd; a number needs no entry there.
std::optional<UserIds> find_user(std::string_view name, std::string_view passwd);

struct SandboxSettings {
    // Whom root becomes: a name or number; empty: "gunyah" if there is such a user, else 65534.
    std::string user;
    // Root stays user 0, without `user`, and may do with files what root may: shared directories
    // have files of many users.
    bool keeps_files = false;
    // An empty folder that there is, in which the new root is mounted meanwhile.
    std::string mount_point;
};

// For the whole process, which must have one thread. Descriptors stay as they are. Afterwards: no
// new privileges, no capabilities, no user 0 (but see keeps_files), namespaces of its own for
// mounts (an empty root that cannot be written), network (without devices), IPC and host name; for
// who is not root by a user namespace. Returns a sentence for each of these that the kernel does
// not allow. Throws gunyah::Error for a user that there is not, and if root cannot be given up.
std::vector<std::string> enter_sandbox(const SandboxSettings& settings);

} // namespace vmm
