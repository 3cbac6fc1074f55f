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

// A connection to who listens at `path`; none if nobody does. With `blocking` it waits while too
// many others want to, as later reads and writes do; without, there is none then either.
gunyah::FileDescriptor connect_unix(const std::string& path, bool blocking);

// What listen_unix() says.
struct ListenWords {
    std::string option{};                                 // whose path it is, if an option's
    const char* taken = "somebody listens there already"; // and what to do about it:
    const char* advice = "use another path";
};

// Listens at `path`, for this user only, without blocking. A socket that nobody listens at is
// replaced, nothing else. Throws gunyah::Error.
gunyah::FileDescriptor listen_unix(const std::string& path, const ListenWords& words = {});

} // namespace vmm
