// SPDX-License-Identifier: BSD-3-Clause
// ControlClient: requests out, lines in.
#include "app/control_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/runtime_folder.hpp"
#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

constexpr std::chrono::seconds answer_limit{30};

// Whether `fd` became readable before `until`.
bool wait_readable(int fd, ControlClient::Clock::time_point until) {
    for (;;) {
        int milliseconds = -1;
        if (until != ControlClient::no_limit) {
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(until - ControlClient::Clock::now());
            milliseconds = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT32_MAX));
        }
        pollfd state{fd, POLLIN, 0};
        const int ready = ::poll(&state, 1, milliseconds);
        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

} // namespace

std::optional<ControlClient> ControlClient::open(const std::string& name) {
    gunyah::FileDescriptor socket = connect_unix(control_path(name), true);
    if (!socket) {
        return std::nullopt;
    }
    return ControlClient{std::move(socket), name};
}

std::string ControlClient::call(const std::string& request) {
    const std::string line = request + "\n";
    const ssize_t sent = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    const auto reply = sent == static_cast<ssize_t>(line.size())
                           ? next_line(Clock::now() + answer_limit)
                           : std::nullopt;
    const std::string failed = fmt::format("cannot control VM '{}'", name_);
    if (!reply) {
        throw gunyah::Error{gunyah::ErrorKind::failed, failed, "it ended or does not answer", ""};
    }
    const auto json = nlohmann::json::parse(*reply, nullptr, false);
    if (!json.is_object() || !json.value("ok", false)) {
        throw gunyah::Error{gunyah::ErrorKind::failed, failed,
                            json.is_object() ? json.value("error", "no reason given")
                                             : "its answer makes no sense",
                            ""};
    }
    return *reply;
}

std::optional<std::string> ControlClient::next_line(Clock::time_point until) {
    for (;;) {
        if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
            std::string line = received_.substr(0, end);
            received_.erase(0, end + 1);
            return line;
        }
        std::array<char, 4096> buffer;
        if (!wait_readable(socket_.get(), until)) {
            return std::nullopt;
        }
        const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (count <= 0) {
            return std::nullopt;
        }
        received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

} // namespace vmm
