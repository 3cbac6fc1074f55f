// SPDX-License-Identifier: BSD-3-Clause
// join_vsock(): stdin and stdout as the two directions of a connection into a guest.
#pragma once

#include <cstdint>
#include <string>

namespace vmm {

// Connects to `port` of the guest whose vsock is at `path`, and copies until the guest sends no
// more. The end of stdin is passed on. Throws gunyah::Error.
void join_vsock(const std::string& path, std::uint32_t port);

} // namespace vmm
