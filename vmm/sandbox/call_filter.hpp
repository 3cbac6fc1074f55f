// SPDX-License-Identifier: BSD-3-Clause
// CallFilter: a list of the system calls that a thread may make, and its seccomp program.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <linux/filter.h>

namespace vmm {

// A system call that is allowed, unless its argument number `argument` has one of the bits
// `forbidden` (of its lower 32) set.
struct AllowedCall {
    long number;
    unsigned argument = 0;
    std::uint32_t forbidden = 0;
};

// The program for SECCOMP_SET_MODE_FILTER (seccomp(2)): allows what is in the list, and answers
// everything else, calls of another architecture too, with SIGSYS.
std::vector<sock_filter> build_call_filter(std::span<const AllowedCall> allowed);

// From now on the calling thread makes no other calls. One that does ends the process with
// ExitStatus::crashed and a sentence on stderr that names the call and the thread as `thread`,
// which must live as long as the thread. The list must have write and exit_group, or the sentence
// cannot be said. False, with errno: the kernel does not do it.
bool confine_thread(std::span<const AllowedCall> allowed, const char* thread);

} // namespace vmm
