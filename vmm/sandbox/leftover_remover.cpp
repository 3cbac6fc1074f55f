// SPDX-License-Identifier: BSD-3-Clause
// LeftoverRemover: one packet per path, a byte back; a zero byte seals; the end of
// packets is this process's.
#include "sandbox/leftover_remover.hpp"

#include <linux/limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "sandbox/helper_process.hpp"

namespace vmm {
namespace {

struct Leftover {
    std::string path;
    struct stat status;
};

void remove_socket(const Leftover& leftover) {
    struct stat now{};
    if (::lstat(leftover.path.c_str(), &now) == 0 && S_ISSOCK(now.st_mode) &&
        now.st_dev == leftover.status.st_dev && now.st_ino == leftover.status.st_ino) {
        ::unlink(leftover.path.c_str());
    }
}

// The helper's whole life.
void serve() {
    std::vector<Leftover> leftovers;
    bool sealed = false;
    std::array<char, PATH_MAX> path;
    for (;;) {
        const ssize_t count = ::recv(STDIN_FILENO, path.data(), path.size(), 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        sealed = sealed || path[0] == '\0';
        if (sealed) {
            [[maybe_unused]] const auto sent = ::send(STDIN_FILENO, "n", 1, MSG_NOSIGNAL);
            continue;
        }
        Leftover leftover{{path.data(), static_cast<std::size_t>(count)}, {}};
        if (::lstat(leftover.path.c_str(), &leftover.status) == 0) {
            leftovers.push_back(std::move(leftover));
        }
        [[maybe_unused]] const auto sent = ::send(STDIN_FILENO, "y", 1, MSG_NOSIGNAL);
    }
    for (const Leftover& leftover : leftovers) {
        remove_socket(leftover);
    }
}

} // namespace

LeftoverRemover::LeftoverRemover() : connection_{start_helper("gunyah-remover", serve)} {}

LeftoverRemover::~LeftoverRemover() {
    ::shutdown(connection_.get(), SHUT_WR);
    char byte = 0;
    while (::recv(connection_.get(), &byte, 1, 0) < 0 && errno == EINTR) {
    }
}

void LeftoverRemover::seal() {
    char answer = 0;
    [[maybe_unused]] const bool sealed = ::send(connection_.get(), "", 1, MSG_NOSIGNAL) == 1 &&
                                         ::recv(connection_.get(), &answer, 1, 0) == 1;
}

void LeftoverRemover::add(const std::string& path) {
    char answer = 0;
    if (::send(connection_.get(), path.data(), path.size(), MSG_NOSIGNAL) < 0 ||
        ::recv(connection_.get(), &answer, 1, 0) != 1 || answer != 'y') {
        throw gunyah::Error::from_errno(errno,
                                        fmt::format("cannot see to the removal of {}", path));
    }
}

} // namespace vmm
