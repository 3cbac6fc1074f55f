// SPDX-License-Identifier: BSD-3-Clause
// ControlClient: a connection to a VM's control socket.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

class ControlClient {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr Clock::time_point no_limit = Clock::time_point::max();

    // None if no VM of that name runs.
    static std::optional<ControlClient> open(const std::string& name);

    // Sends a request (without newline) and returns the reply's line. Throws gunyah::Error: the VM
    // is gone or does not answer, or it answered with an error.
    std::string call(const std::string& request);
    // The next line, an event's; none when the VM has gone or at `until`.
    std::optional<std::string> next_line(Clock::time_point until);
    // Ends the talk in lines: the socket, and what was received behind the last reply.
    std::pair<gunyah::FileDescriptor, std::string> release() {
        return {std::move(socket_), std::move(received_)};
    }

private:
    ControlClient(gunyah::FileDescriptor socket, std::string name)
        : socket_{std::move(socket)}, name_{std::move(name)} {}

    gunyah::FileDescriptor socket_;
    std::string name_;
    std::string received_;
};

} // namespace vmm
