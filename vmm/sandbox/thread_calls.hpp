// SPDX-License-Identifier: BSD-3-Clause
// The system calls that each kind of thread of the VMM needs.
#pragma once

#include <vector>

#include "sandbox/call_filter.hpp"

namespace vmm {

enum class ThreadKind {
    vcpu,      // runs a vCPU, and devices that answer at once
    console,   // hands out what a console printed
    main_loop, // devices' queues, the control socket, what is typed
    connector, // the process that connects to programs' sockets (ProgramConnector)
};

// The devices that need calls of their own.
struct DeviceKinds {
    bool disks = false;
    bool shares = false;
    bool networks = false;
    bool passt = false; // some of the networks are behind a passt
    bool vsock = false;
};

// What `kind` needs in a VM that has `devices`.
std::vector<AllowedCall> calls_of(ThreadKind kind, const DeviceKinds& devices);

} // namespace vmm
