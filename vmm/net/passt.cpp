// SPDX-License-Identifier: BSD-3-Clause
// Passt: fork, exec, and the ways in which that can fail.
#include "net/passt.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <sstream>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;
using gunyah::FileDescriptor;

constexpr const char* failed = "cannot start passt for --net";
constexpr int ready_milliseconds = 10'000;
constexpr int ending_milliseconds = 1'000;
// How long it has between closing its files and its end.
constexpr int ending_tries = 100;
constexpr unsigned ending_microseconds = 10'000;
constexpr int status_cannot_execute = 127;
constexpr uid_t nobody = 65534;

struct Pipe {
    FileDescriptor reading;
    FileDescriptor writing;

    Pipe() {
        std::array<int, 2> ends{-1, -1};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw Error::from_errno(errno, failed);
        }
        reading = FileDescriptor{ends[0]};
        writing = FileDescriptor{ends[1]};
    }
};

std::vector<std::string> arguments(int socket, int ready,
                                   const std::vector<PortForward>& forwards) {
    // Its process id, written to the file that we name, is the sign that all is set up.
    std::vector<std::string> words{"passt",
                                   "--foreground",
                                   "--quiet",
                                   "--fd",
                                   fmt::format("{}", socket),
                                   "--pid",
                                   fmt::format("/proc/self/fd/{}", ready)};
    for (const PortForward& forward : forwards) {
        words.emplace_back(forward.udp ? "--udp-ports" : "--tcp-ports");
        words.push_back(fmt::format("{}:{}", forward.host, forward.guest));
    }
    return words;
}

// In the child: only calls that are safe after fork().
[[noreturn]] void become_passt(char* const* words, int messages, int socket, int ready,
                               pid_t parent) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    if (::geteuid() == 0) {
        // It would become nobody itself, but then could not open the file for its process id.
        const bool dropped = ::setgroups(0, nullptr) == 0 &&
                             ::setresgid(nobody, nobody, nobody) == 0 &&
                             ::setresuid(nobody, nobody, nobody) == 0;
        if (!dropped) {
            ::_exit(status_cannot_execute);
        }
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL); // after the change of user, which takes it back
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    const bool connected = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0 &&
                           ::dup2(nothing, STDOUT_FILENO) >= 0 &&
                           ::dup2(messages, STDERR_FILENO) >= 0 &&
                           ::fcntl(socket, F_SETFD, 0) == 0 && ::fcntl(ready, F_SETFD, 0) == 0;
    if (connected && ::getppid() == parent) {
        ::execvp(words[0], words);
    }
    ::_exit(status_cannot_execute);
}

} // namespace

Passt::Passt(const std::vector<PortForward>& forwards) {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw Error::from_errno(errno, failed);
    }
    socket_ = FileDescriptor{ends[0]};
    const FileDescriptor its_socket{ends[1]};
    Pipe ready;
    Pipe messages;
    ::fchmod(ready.writing.get(), 0666); // it is opened anew by another user
    // What nobody reads must not hold it up.
    ::fcntl(messages.writing.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(messages.reading.get(), F_SETFL, O_NONBLOCK);
    auto words = arguments(its_socket.get(), ready.writing.get(), forwards);
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    const pid_t parent = ::getpid();
    child_ = ::fork();
    if (child_ < 0) {
        throw Error::from_errno(errno, failed);
    }
    if (child_ == 0) {
        become_passt(pointers.data(), messages.writing.get(), its_socket.get(), ready.writing.get(),
                     parent);
    }
    messages_ = std::move(messages.reading);
    process_ = FileDescriptor{static_cast<int>(::syscall(SYS_pidfd_open, child_, 0))};
    ready.writing = FileDescriptor{}; // ours; when its own is closed too, it has ended
    try {
        wait_until_ready(ready.reading.get());
    } catch (...) {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        throw;
    }
}

// It is ending by itself, as its connection is closed; a sandbox's user may have no right to end
// it.
Passt::~Passt() {
    ::syscall(SYS_pidfd_send_signal, process_.get(), SIGKILL, nullptr, 0);
    pollfd state{process_.get(), POLLIN, 0};
    ::poll(&state, 1, ending_milliseconds);
    ::waitid(P_PIDFD, static_cast<id_t>(process_.get()), nullptr, WEXITED | WNOHANG);
}

void Passt::wait_until_ready(int ready_fd) {
    pollfd state{ready_fd, POLLIN, 0};
    const int answered = ::poll(&state, 1, ready_milliseconds);
    std::array<char, 32> process{};
    if (answered > 0 && ::read(ready_fd, process.data(), process.size()) > 0) {
        return;
    }
    if (answered == 0) {
        throw Error{ErrorKind::failed, failed, "it was not ready within 10 s", last_words()};
    }
    siginfo_t end{};
    for (int tries = 0; end.si_pid == 0 && tries < ending_tries; ++tries) {
        ::waitid(P_PID, static_cast<id_t>(child_), &end, WEXITED | WNOWAIT | WNOHANG);
        ::usleep(ending_microseconds);
    }
    if (end.si_code == CLD_EXITED && end.si_status == status_cannot_execute) {
        throw Error{ErrorKind::not_found, failed, "the program passt is not installed",
                    "install Debian's package passt, or use --net tap=NAME"};
    }
    throw Error{ErrorKind::failed, failed, "it ended at once", last_words()};
}

std::string Passt::last_words() const {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(messages_.get(), buffer.data(), buffer.size());
    std::istringstream lines{
        std::string{buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0}};
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        const bool is_about_logging =
            line.starts_with("Failed to send") && line.ends_with("syslog");
        if (!line.empty() && !is_about_logging) {
            result += (result.empty() ? "passt says: " : "; ") + line;
        }
    }
    return result;
}

} // namespace vmm
