// SPDX-License-Identifier: BSD-3-Clause
// The command line of `gunyah`.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <variant>
#include <vector>

#include "app/exit_status.hpp"

namespace vmm {

struct DiskOption {
    std::string path;
    bool read_only = false;
};

struct RunOptions {
    std::string kernel;
    std::string initrd; // empty: none
    std::string command_line = "console=ttyAMA0";
    std::uint32_t cpus = 1;
    std::uint64_t memory = std::uint64_t{256} << 20; // bytes, a multiple of 2 MiB
    std::vector<DiskOption> disks;
    std::string console = "stdio"; // or "pty", or a file name
};

// The program ends without running a guest: help was asked for, or the command line is wrong.
struct EarlyExit {
    ExitStatus status;
    std::string text; // help for stdout (status 0), else a complaint for stderr
};

std::variant<RunOptions, EarlyExit> parse_options(int argc, const char* const* argv);

// "64M", "2G", "524288K", also with "iB" or "B" behind it, in bytes. The error says what is wrong.
std::expected<std::uint64_t, std::string> parse_size(const std::string& text);

// "FILE" or "FILE,ro".
std::expected<DiskOption, std::string> parse_disk(const std::string& text);

} // namespace vmm
