// SPDX-License-Identifier: BSD-3-Clause
// Unix stream sockets by path.
#pragma once

#include <sys/un.h>

#include <optional>
#include <string>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// Nothing if the path is too long for a socket.
std::optional<sockaddr_un> unix_address(const std::string& path);

// A connection to who listens at `path`; none if nobody does, or at once too many want to. Does
// not wait; with `blocking` only later reads and writes do.
gunyah::FileDescriptor connect_unix(const std::string& path, bool blocking);

// Listens at `path`, for this user only, without blocking. A socket that nobody listens at is
// replaced. Throws gunyah::Error that begins with `option`.
gunyah::FileDescriptor listen_unix(const std::string& path, const std::string& option);

} // namespace vmm
