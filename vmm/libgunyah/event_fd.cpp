// SPDX-License-Identifier: BSD-3-Clause
// EventFd: thin wrapper of eventfd(2) in non-blocking mode.
#include "libgunyah/event_fd.hpp"

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "libgunyah/error.hpp"

namespace gunyah {

EventFd::EventFd() : fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (!fd_) {
        throw Error::from_errno(errno, "cannot create an eventfd");
    }
}

void EventFd::signal() const {
    const std::uint64_t one = 1;
    // The only failure is a counter at its maximum: the event is pending anyway.
    // Not write(), which first makes itself a cancellation point: every interrupt comes by here.
    [[maybe_unused]] const auto written = ::syscall(SYS_write, fd_.get(), &one, sizeof(one));
}

bool EventFd::drain() const {
    std::uint64_t count = 0;
    return ::read(fd_.get(), &count, sizeof(count)) == sizeof(count);
}

} // namespace gunyah
