// SPDX-License-Identifier: BSD-3-Clause
// The one schema of a VM's configuration: command line, configuration file and --print-config.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/run_options.hpp"

namespace vmm {

// Keys are the long options without their dashes, e.g. {"disk", "path=a.raw,ro"}.
using OptionTexts = std::vector<std::pair<std::string, std::string>>;

// All set what they find and leave the rest of `options` as it is; a list grows. They throw
// gunyah::Error, which names the option, the file and what is allowed instead.
void apply_command_line(RunOptions& options, const OptionTexts& texts);
void apply_config_file(RunOptions& options, const std::string& path);
// `origin` is how errors call the text.
void apply_config(RunOptions& options, std::string_view json, const std::string& origin);

// As JSON text that apply_config() reads back to the same options.
std::string print_config(const RunOptions& options);

} // namespace vmm
