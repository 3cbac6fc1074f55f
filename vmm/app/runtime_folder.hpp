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

// Listens at `path`, for this user only. A socket that nobody listens at is replaced. Throws
// gunyah::Error: the name is taken, the folder is somebody else's, the path is too long.
gunyah::FileDescriptor listen_at(const std::string& path);
// The same in a folder of anybody's.
gunyah::FileDescriptor listen_anywhere(const std::string& path);
// A connection to who listens at `path`; none if nobody does.
gunyah::FileDescriptor connect_to(const std::string& path);

} // namespace vmm
