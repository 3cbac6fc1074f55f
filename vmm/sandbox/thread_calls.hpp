// SPDX-License-Identifier: BSD-3-Clause
// The system calls that each kind of thread of the VMM needs.
#pragma once

#include <span>

#include "sandbox/call_filter.hpp"

namespace vmm {

enum class ThreadKind {
    vcpu,                  // runs a vCPU, and devices that answer at once
    console,               // hands out what a console printed
    main_loop,             // devices' queues, the control socket, what is typed
    main_loop_with_shares, // also the files of shared directories
};

std::span<const AllowedCall> calls_of(ThreadKind kind);

} // namespace vmm
