// SPDX-License-Identifier: BSD-3-Clause
// Command line parsing with CLI11.
#include "app/options.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <sstream>

#include <fmt/format.h>

#include "machine/layout.hpp"

namespace vmm {
namespace {

constexpr const char* exit_status_help =
    "Exit status: 0 the guest powered itself off, 1 it could not be started, 2 wrong usage,\n"
    "3 the guest asked for a reboot, 4 it crashed, 5 it was stopped from outside.\n"
    "On a terminal, Ctrl-A X stops the guest and Ctrl-A Ctrl-A types a Ctrl-A.\n";

constexpr std::uint64_t smallest_memory = std::uint64_t{16} << 20;
constexpr std::uint64_t largest_memory = std::uint64_t{1} << 40;

CLI::Validator check_memory() {
    return {[](const std::string& text) {
                const auto size = parse_size(text);
                if (!size) {
                    return size.error();
                }
                if (*size % layout::ram_alignment != 0) {
                    return fmt::format("'{}' is not a multiple of 2M", text);
                }
                const bool possible = *size >= smallest_memory && *size <= largest_memory;
                return possible ? std::string{}
                                : fmt::format("'{}' is not from 16M to 1024G", text);
            },
            ""};
}

CLI::Validator check_disk() {
    return {[](const std::string& text) {
                const auto disk = parse_disk(text);
                return disk ? std::string{} : disk.error();
            },
            ""};
}

struct RawOptions {
    std::string memory = "256M";
    std::vector<std::string> disks;
};

void describe_run(CLI::App& run, RunOptions& options, RawOptions& raw) {
    run.add_option("--kernel", options.kernel, "arm64 Linux Image that the guest boots")
        ->required()
        ->type_name("FILE");
    run.add_option("--initrd", options.initrd, "initial RAM disk")->type_name("FILE");
    run.add_option("--cmdline", options.command_line, "kernel command line")
        ->type_name("TEXT")
        ->capture_default_str();
    run.add_option("--cpus", options.cpus, "number of vCPUs")
        ->check(CLI::Range(std::uint32_t{1}, layout::max_cpus))
        ->type_name("N")
        ->capture_default_str();
    run.add_option("--mem", raw.memory, "guest memory, with K, M or G behind the number")
        ->check(check_memory())
        ->type_name("SIZE")
        ->capture_default_str();
    run.add_option("--disk", raw.disks,
                   "raw disk image or block device; repeat for more (vda, vdb, ...); "
                   "',ro' behind it: read-only")
        ->check(check_disk())
        ->type_name("FILE[,ro]")
        ->allow_extra_args(false)
        ->expected(0, static_cast<int>(layout::max_disks));
    run.add_option("--console", options.console,
                   "where the guest's console is: this terminal, a new pseudo-terminal, or a file "
                   "that takes its output")
        ->type_name("stdio|FILE|pty")
        ->capture_default_str();
    run.footer(exit_status_help);
}

void convert(const RawOptions& raw, RunOptions& options) {
    options.memory = parse_size(raw.memory).value();
    for (const std::string& disk : raw.disks) {
        options.disks.push_back(parse_disk(disk).value());
    }
}

} // namespace

std::expected<std::uint64_t, std::string> parse_size(const std::string& text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{}) {
        return std::unexpected{fmt::format("'{}' is not a size; write it like 256M", text)};
    }
    const std::string_view suffix{unit, end};
    unsigned shift = 0;
    for (const auto& [letter, bits] : {std::pair{'K', 10U}, {'M', 20U}, {'G', 30U}}) {
        const std::string plain{letter};
        if (suffix == plain || suffix == plain + "B" || suffix == plain + "iB") {
            shift = bits;
        }
    }
    if (shift == 0) {
        return std::unexpected{fmt::format("'{}' needs a unit: K, M or G, as in 256M", text)};
    }
    if (number > (UINT64_MAX >> shift)) {
        return std::unexpected{fmt::format("'{}' is too large", text)};
    }
    return number << shift;
}

std::expected<DiskOption, std::string> parse_disk(const std::string& text) {
    const std::size_t comma = text.rfind(',');
    const std::string path = text.substr(0, comma);
    if (path.empty()) {
        return std::unexpected{std::string{"a disk needs a file name"}};
    }
    if (comma == std::string::npos) {
        return DiskOption{path, false};
    }
    const std::string flag = text.substr(comma + 1);
    if (flag != "ro") {
        return std::unexpected{fmt::format("'{}' is no disk option; only ',ro' is", flag)};
    }
    return DiskOption{path, true};
}

std::variant<RunOptions, EarlyExit> parse_options(int argc, const char* const* argv) {
    RunOptions options;
    RawOptions raw;
    CLI::App app{"Runs virtual machines on the Gunyah hypervisor."};
    app.name("gunyah");
    app.require_subcommand(1);
    CLI::App* run = app.add_subcommand("run", "start a Linux guest and stay until it ends");
    describe_run(*run, options, raw);
    try {
        app.parse(argc, argv);
        convert(raw, options);
        return options;
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream complaint;
        if (app.exit(error, out, complaint) == 0) {
            return EarlyExit{ExitStatus::powered_off, out.str()};
        }
        return EarlyExit{ExitStatus::usage_error,
                         fmt::format("gunyah: {}; see gunyah run --help\n", error.what())};
    }
}

} // namespace vmm
