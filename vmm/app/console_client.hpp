// SPDX-License-Identifier: BSD-3-Clause
// use_console(): `gunyah console`, this terminal as a guest's.
#pragma once

#include <string>

#include "app/control_client.hpp"

namespace vmm {

// Attaches `client` to the console (a number or a name) of the VM `name` and stays until the user
// detaches or the VM ends. Returns the program's exit status. Throws gunyah::Error.
int use_console(const std::string& name, ControlClient& client, const std::string& console);

} // namespace vmm
