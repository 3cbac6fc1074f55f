// SPDX-License-Identifier: BSD-3-Clause
// Runs a case in a child with a time limit and compares the counters before and after it.
#include "runner.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <thread>

#include "remains.hpp"

namespace driver {
namespace {

using namespace std::chrono_literals;

// GUNYAH_PATIENCE in the environment stretches it, for slow CPU models and busy computers.
std::chrono::seconds time_limit() {
    const char* patience = std::getenv("GUNYAH_PATIENCE");
    const double factor = patience != nullptr ? std::max(1.0, std::atof(patience)) : 1.0;
    return std::chrono::duration_cast<std::chrono::seconds>(120s * factor);
}

// In the child. What went wrong goes to the parent through the pipe.
[[noreturn]] void run_and_exit(const Case& which, int report) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string wrong;
    try {
        which.run();
    } catch (const std::exception& error) {
        wrong = error.what();
    }
    const bool told = wrong.empty() || ::write(report, wrong.data(), wrong.size()) > 0;
    ::_exit(wrong.empty() && told ? 0 : 1);
}

std::string ended(int status) {
    if (WIFSIGNALED(status)) {
        return "ended by signal " + std::to_string(WTERMSIG(status));
    }
    return WEXITSTATUS(status) == 0 ? "" : "failed";
}

// Waits for the child; one that does not even die from SIGKILL hangs in the driver.
std::string wait_for(pid_t child) {
    const auto deadline = std::chrono::steady_clock::now() + time_limit();
    bool killed = false;
    for (;;) {
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child) {
            return killed ? "took too long" : ended(status);
        }
        if (!killed && std::chrono::steady_clock::now() > deadline) {
            ::kill(child, SIGKILL);
            killed = true;
        }
        if (std::chrono::steady_clock::now() > deadline + 70s) {
            return "hangs in the kernel";
        }
        std::this_thread::sleep_for(5ms);
    }
}

std::string run_in_child(const Case& which) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return "no pipe";
    }
    const pid_t child = ::fork();
    if (child == 0) {
        run_and_exit(which, ends[1]);
    }
    ::close(ends[1]);
    std::string wrong = child < 0 ? "no process" : wait_for(child);
    std::array<char, 512> text{};
    const auto size = wrong == "failed" ? ::read(ends[0], text.data(), text.size()) : 0;
    ::close(ends[0]);
    return size > 0 ? std::string{text.data(), static_cast<std::size_t>(size)} : wrong;
}

} // namespace

void expect(bool holds, std::string_view what) {
    if (!holds) {
        throw Mismatch{std::string{what}};
    }
}

void expect_equal(long actual, long expected, std::string_view what) {
    if (actual != expected) {
        throw Mismatch{std::string{what} + ": " + std::to_string(actual) + " instead of " +
                       std::to_string(expected)};
    }
}

bool run_case(const Case& which) {
    const Remains before;
    std::string wrong = run_in_child(which);
    if (wrong.empty()) {
        const std::string left = before.difference();
        if (!left.empty()) {
            wrong = "left behind: " + left;
        }
    }
    std::replace(wrong.begin(), wrong.end(), '\n', ' ');
    const std::string line = wrong.empty()
                                 ? std::string{"ok "} + which.name + "\n"
                                 : std::string{"FAIL "} + which.name + ": " + wrong + "\n";
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
    return wrong.empty();
}

} // namespace driver
