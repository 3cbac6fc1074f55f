// SPDX-License-Identifier: BSD-3-Clause
// The doctor: whether this machine can run a VM and, if not, why and what to do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmm {

// What was found on the machine; nothing is judged yet.
struct Findings {
    bool hypervisor_in_device_tree = false;
    std::string device_error;   // why /dev/gunyah cannot be opened; empty: it can
    std::string vm_error;       // why no VM can be created; empty: one was
    std::string function_error; // why it can have no vCPU, irqfd or ioeventfd; empty: it had
    std::optional<std::uint64_t> available_memory; // bytes
    std::optional<std::uint64_t> whole_memory;     // bytes of it in free pieces of 2 MiB and more
    std::uint64_t lockable_memory = UINT64_MAX;    // bytes that this user may lock
    std::string socket_error; // why the control sockets' folder cannot be used; empty: it can
};

struct Verdict {
    bool good;
    std::string sentence; // with advice, if it is not good
};

// Looks at the machine. Creates a VM and lets it go again.
Findings examine();
// Later verdicts that follow from an earlier bad one are left out.
std::vector<Verdict> judge(const Findings& findings);

// Prints the verdicts; returns the program's exit status: 0 if all are good, else 1.
int run_doctor();

} // namespace vmm
