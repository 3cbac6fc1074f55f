// SPDX-License-Identifier: BSD-3-Clause
// ConsoleEndpoint: what --console names, opened: this terminal, a pseudo-terminal, a file, a
// socket.
#pragma once

#include <string>

#include "app/console_output.hpp"
#include "app/run_options.hpp"
#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// Where a console's bytes come from and go to, besides those who attach to it.
struct ConsoleEndpoint {
    gunyah::FileDescriptor owned; // what input and output refer to, unless it is stdio
    gunyah::FileDescriptor keep_open;
    gunyah::FileDescriptor listener; // who connects here attaches
    int input = -1;                  // -1: nobody types
    int output = -1;                 // -1: nobody reads
    bool is_terminal = false;        // keys come one by one, Ctrl-A is an escape
    ConsoleOutput::Slow slow = ConsoleOutput::Slow::wait;
    std::string place; // what to open or connect to, to reach it; empty: nothing
    std::string name;  // of a stream for programs; empty: a console

    // Throws gunyah::Error.
    static ConsoleEndpoint open(const ConsoleOption& option);
};

} // namespace vmm
