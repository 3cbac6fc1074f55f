// SPDX-License-Identifier: BSD-3-Clause
// ControlCommand: what a person wants besides starting a VM.
#pragma once

#include <cstdint>
#include <string>

namespace vmm {

struct ControlCommand {
    enum class Kind {
        doctor,
        list,
        info,
        stop,
        pause,
        resume,
        wait,
        events,
        stats,
        console,
        vsock
    };
    Kind kind = Kind::list;
    std::string name; // empty: the only VM that runs
    bool force = false;
    unsigned timeout_seconds = 60;
    std::string console = "0"; // number or name
    std::uint32_t port = 0;    // of vsock
};

// Does it, prints to stdout, and returns the program's exit status. Throws gunyah::Error.
int carry_out(const ControlCommand& command);

} // namespace vmm
