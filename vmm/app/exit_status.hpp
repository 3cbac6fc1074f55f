// SPDX-License-Identifier: BSD-3-Clause
// ExitStatus: how `gunyah run` tells the shell what became of the guest.
#pragma once

namespace vmm {

// Part of the program's interface, listed in --help: numbers never change their meaning.
enum class ExitStatus {
    powered_off = 0, // the guest switched itself off
    not_started = 1, // a file, the machine or the hypervisor did not allow it
    usage_error = 2, // the command line is wrong
    reboot = 3,      // the guest asked for a restart
    crashed = 4,     // the guest or one of its vCPUs cannot go on
    stopped = 5,     // stopped from outside: Ctrl-A X, SIGINT, SIGTERM, or by the Resource Manager
};

} // namespace vmm
