// SPDX-License-Identifier: BSD-3-Clause
// start_helper(): fork, and letting go of everything that the parent has open.
#include "sandbox/helper_process.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {

gunyah::FileDescriptor start_helper(const char* name, const HelperTask& task) {
    const auto fail = [name] {
        throw gunyah::Error::from_errno(errno, fmt::format("cannot start the process {}", name));
    };
    int ends[2]{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        fail();
    }
    gunyah::FileDescriptor ours{ends[0]};
    const gunyah::FileDescriptor theirs{ends[1]};
    const pid_t child = ::fork();
    if (child < 0) {
        fail();
    }
    if (child == 0) {
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) {
            std::signal(number, SIG_IGN); // of the terminal: meant for the parent
        }
        ::prctl(PR_SET_NAME, name);
        // Or pipes would stay open and files locked.
        ::dup2(theirs.get(), STDIN_FILENO);
        ::close_range(STDIN_FILENO + 1, ~0U, 0);
        task();
        ::_exit(0);
    }
    return ours;
}

} // namespace vmm
