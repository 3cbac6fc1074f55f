// SPDX-License-Identifier: BSD-3-Clause
// What is written about the command line, made from the command line itself.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace vmm {

// The manual page gunyah(1), in the language of man(7).
std::string manual_page(const CLI::App& app);

// A script for bash that completes commands, options, file names and names of VMs.
std::string bash_completion(const CLI::App& app);

} // namespace vmm
