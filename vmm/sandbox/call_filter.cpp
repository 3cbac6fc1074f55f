// SPDX-License-Identifier: BSD-3-Clause
// CallFilter: BPF instructions, and the handler of SIGSYS.
#include "sandbox/call_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "app/exit_status.hpp"
#include "app/terminal.hpp"

namespace vmm {
namespace {

#if defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#elif defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#endif

// Of the thread, for the sentence. Handlers must not ask for memory: no std::string.
thread_local const char* thread_name = "unnamed";

sock_filter load(std::size_t offset) {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter answer(std::uint32_t action) {
    return BPF_STMT(BPF_RET | BPF_K, action);
}
// Goes on if the loaded word is `value`, else skips `skipped` instructions.
sock_filter unless_equal_skip(std::uint32_t value, std::uint8_t skipped) {
    return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

// A sentence in pieces, in memory of its own.
class Sentence {
public:
    Sentence& operator<<(std::string_view text) {
        const std::size_t count = std::min(text.size(), text_.size() - size_);
        std::memcpy(text_.data() + size_, text.data(), count);
        size_ += count;
        return *this;
    }
    Sentence& operator<<(int number) {
        std::array<char, 12> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        return *this << std::string_view{digits.data(),
                                         static_cast<std::size_t>(end - digits.data())};
    }
    void print() const {
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text_.data(), size_);
    }

private:
    std::array<char, 300> text_;
    std::size_t size_ = 0;
};

extern "C" void report_forbidden_call(int /*signal*/, siginfo_t* info, void* /*context*/) {
    restore_terminal();
    Sentence sentence;
    sentence
        << "gunyah: the sandbox ended the VM: its thread '" << thread_name << "' made system call "
        << info->si_syscall
        << ", which it never needs; the guest may have broken the VMM, or the VMM has an error: "
           "please report this line (--no-sandbox runs without such limits)\n";
    sentence.print();
    ::_exit(static_cast<int>(ExitStatus::crashed));
}

void install_handler() {
    struct sigaction action{};
    action.sa_sigaction = report_forbidden_call;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSYS, &action, nullptr);
}

} // namespace

std::vector<sock_filter> build_call_filter(std::span<const AllowedCall> allowed) {
    constexpr std::uint32_t forbid = SECCOMP_RET_TRAP;
    std::vector<sock_filter> program{
        load(offsetof(seccomp_data, arch)), unless_equal_skip(architecture, 1),
        // Over the refusal: the call's number.
        BPF_STMT(BPF_JMP | BPF_JA, 1), answer(SECCOMP_RET_KILL_PROCESS),
        load(offsetof(seccomp_data, nr))};
    for (const AllowedCall& call : allowed) {
        const auto number = static_cast<std::uint32_t>(call.number);
        if (call.forbidden == 0) {
            program.push_back(unless_equal_skip(number, 1));
            program.push_back(answer(SECCOMP_RET_ALLOW));
            continue;
        }
        // Little-endian: the lower half of the argument comes first.
        const std::size_t argument = offsetof(seccomp_data, args) + 8 * call.argument;
        program.push_back(unless_equal_skip(number, 4));
        program.push_back(load(argument));
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, call.forbidden, 0, 1));
        program.push_back(answer(forbid));
        program.push_back(answer(SECCOMP_RET_ALLOW));
    }
    program.push_back(answer(forbid));
    return program;
}

bool confine_thread(std::span<const AllowedCall> allowed, const char* thread) {
    thread_name = thread;
    install_handler();
    auto program = build_call_filter(allowed);
    const sock_fprog description{.len = static_cast<unsigned short>(program.size()),
                                 .filter = program.data()};
    // Who has no privileges must first give up getting any by execve().
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &description) == 0;
}

} // namespace vmm
