// SPDX-License-Identifier: BSD-3-Clause
// ControlCommand: what a person wants besides starting a VM.
#pragma once

#include <string>

namespace vmm {

struct ControlCommand {
    enum class Kind { doctor, list, info, stop, pause, resume, wait, events, stats, console };
    Kind kind = Kind::list;
    std::string name; // empty: the only VM that runs
    bool force = false;
    unsigned timeout_seconds = 60;
    std::string console = "0"; // number or name
};

// Does it, prints to stdout, and returns the program's exit status. Throws gunyah::Error.
int carry_out(const ControlCommand& command);

} // namespace vmm
