// SPDX-License-Identifier: BSD-3-Clause
// The control socket's language, docs/control-socket.md: one JSON object per line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "app/control_target.hpp"
#include "app/outcome.hpp"

namespace vmm {

constexpr int control_version = 1;
constexpr std::size_t longest_control_line = 65'536; // of a request; replies may be longer

struct ControlAnswer {
    std::string line;     // the reply, with its newline
    std::string event;    // a line for those who listen; empty: nothing happened
    bool listens = false; // from now on this client gets events
    // From behind the reply on, the connection carries this console's bytes.
    std::optional<unsigned> console;
};

// Carries out the request in `line` (without its newline). Never throws on what stands there.
ControlAnswer answer_control(std::string_view line, ControlTarget& target);

// The event line for the guest's end: the last one there is.
std::string ended_event(const Outcome& outcome);

} // namespace vmm
