// SPDX-License-Identifier: BSD-3-Clause
// The folder in which running VMs have their sockets, named after them.
#pragma once

#include <string>
#include <vector>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// /run/gunyah for root, else gunyah/ in $XDG_RUNTIME_DIR or, without one, /tmp/gunyah-UID.
std::string runtime_folder();
// Where the VM `name` listens.
std::string control_path(const std::string& name);
// Where programs reach the vsock of the VM `name` unless it was given a path.
std::string default_vsock_path(const std::string& name);
// Names that have a socket, sorted; a socket may be left over from a VM that was killed.
std::vector<std::string> socket_names();

// Listens at `path` in this folder, which is made if there is none; see listen_unix().
// Throws gunyah::Error: the name is taken, the folder is somebody else's, the path is too long.
gunyah::FileDescriptor listen_at(const std::string& path);

} // namespace vmm
