// SPDX-License-Identifier: BSD-3-Clause
// RawTerminal: termios settings, saved where a signal handler can reach them.
#include "app/terminal.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

// For the handler: written before saved_fd becomes non-negative.
termios saved_settings;
std::atomic<int> saved_fd = -1;
static_assert(std::atomic<int>::is_always_lock_free);

constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

extern "C" void restore_and_die(int signal_number) {
    restore_terminal();
    // SA_RESETHAND has put the default action back: die of the same signal.
    ::raise(signal_number);
}

void restore_on_fatal_signals() {
    struct sigaction action{};
    action.sa_handler = restore_and_die;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal_number : fatal_signals) {
        ::sigaction(signal_number, &action, nullptr);
    }
}

} // namespace

void restore_terminal() {
    const int fd = saved_fd.exchange(-1);
    if (fd >= 0) {
        ::tcsetattr(fd, TCSADRAIN, &saved_settings);
    }
}

termios raw_settings(termios settings) {
    ::cfmakeraw(&settings);
    return settings;
}

RawTerminal::RawTerminal(int fd) {
    if (::tcgetattr(fd, &saved_settings) != 0) {
        throw gunyah::Error::from_errno(errno, "cannot use the terminal as console");
    }
    saved_fd = fd;
    restore_on_fatal_signals();
    const termios raw = raw_settings(saved_settings);
    if (::tcsetattr(fd, TCSADRAIN, &raw) != 0) {
        saved_fd = -1;
        throw gunyah::Error::from_errno(errno, "cannot use the terminal as console");
    }
}

RawTerminal::~RawTerminal() {
    restore_terminal();
}

} // namespace vmm
