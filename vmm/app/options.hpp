// SPDX-License-Identifier: BSD-3-Clause
// The command line of `gunyah`.
#pragma once

#include <string>
#include <variant>

#include "app/control_command.hpp"
#include "app/exit_status.hpp"
#include "app/run_options.hpp"

namespace vmm {

// The program ends without doing more: help or the configuration was asked for, or the command line
// is wrong.
struct EarlyExit {
    ExitStatus status;
    std::string text; // for stdout (status 0), else a complaint for stderr
};

using Request = std::variant<RunOptions, ControlCommand, EarlyExit>;

Request parse_options(int argc, const char* const* argv);

} // namespace vmm
