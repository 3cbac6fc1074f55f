// SPDX-License-Identifier: BSD-3-Clause
// SignalDescriptor: signalfd(2).
#include "app/signal_descriptor.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {

SignalDescriptor::SignalDescriptor(std::initializer_list<int> signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal_number : signals) {
        ::sigaddset(&set, signal_number);
    }
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = gunyah::FileDescriptor{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!fd_) {
        throw gunyah::Error::from_errno(errno, "cannot receive signals");
    }
}

std::string SignalDescriptor::take() const {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof(info)) != sizeof(info)) {
        return "no signal";
    }
    const char* name = ::sigabbrev_np(static_cast<int>(info.ssi_signo));
    return name != nullptr ? fmt::format("SIG{}", name) : fmt::format("signal {}", info.ssi_signo);
}

} // namespace vmm
