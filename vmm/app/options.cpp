// SPDX-License-Identifier: BSD-3-Clause
// Command line parsing with CLI11; what the values mean is the schema's business.
#include "app/options.hpp"

#include <CLI/CLI.hpp>

#include <deque>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/disk_guest.hpp"
#include "app/manual.hpp"
#include "app/run_schema.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

constexpr const char* run_footer =
    "Lists of key=value are separated by commas; write two commas for one that is part of a "
    "value.\n"
    "Examples:\n"
    "  gunyah run debian.qcow2 --cpus 4 --mem 1G\n"
    "  gunyah run --kernel Image --initrd guest.cpio --cpus 2 --mem 512M\n"
    "  gunyah run --kernel Image --cmdline 'console=hvc0 root=/dev/vda' --disk debian.raw\n"
    "  gunyah run --kernel Image --disk path=system.raw,ro --disk path=data.raw,id=data\n"
    "  gunyah run --kernel Image --share path=/srv/data,tag=data,ro\n"
    "  gunyah run --kernel Image --disk debian.qcow2 --net passt,forward=tcp:2222:22\n"
    "  gunyah run --kernel Image --mem 1G --print-config >vm.json; gunyah run --config vm.json\n"
    "Exit status: 0 the guest powered itself off, 1 it could not be started, 2 wrong usage,\n"
    "3 the guest asked for a reboot, 4 it crashed, 5 it was stopped from outside.\n"
    "A guest waits for a terminal or file that is slow, but no longer than 5 s for one that takes\n"
    "nothing: then output is lost, and the place marked. See gunyah console --help.\n"
    "On a terminal, Ctrl-A X stops the guest and Ctrl-A Ctrl-A types a Ctrl-A.\n";

constexpr const char* console_footer =
    "What the guest printed before (the last 128 KiB) is shown first. Ctrl-] detaches; everything "
    "else is\ntyped to the guest. The guest's terminal gets the size of this one. Any number of "
    "people can be\nattached, each sees all output; one who is too slow misses some and is told "
    "so.\n"
    "Without a terminal, standard input is typed and its end is ignored.\n"
    "Example: gunyah run --name web --console none --kernel Image & gunyah console web\n";

struct OptionHelp {
    const char* key;
    const char* type;
    const char* text;
};

constexpr OptionHelp single_options[] = {
    {"name", "NAME", "what the VM is called"},
    {"kernel", "FILE",
     "arm64 Linux kernel that the guest boots: Image, one compressed with gzip or zstd, "
     "vmlinuz.efi, "
     "or an ELF vmlinux"},
    {"initrd", "FILE", "initial RAM disk"},
    {"cmdline", "TEXT", "kernel command line [console=ttyAMA0]"},
    {"dtb-overlay", "FILE",
     "compiled device tree overlay for the guest's tree; it names nodes by target-path"},
    {"dump-dtb", "FILE", "write the guest's device tree there before it starts"},
    {"cpus", "N", "number of vCPUs, 1 to 16 [1]"},
    {"mem", "SIZE", "guest memory, with K, M or G behind the number [256M]"},
    {"user", "NAME|NUMBER",
     "whom root becomes for the sandbox [gunyah if there is such a user, else 65534]"},
};
constexpr OptionHelp repeated_options[] = {
    {"disk", "[path=]FILE[,ro][,format=raw|qcow2][,id=TEXT]",
     "disk image or block device; repeat for more (vda, vdb, ...); ro: the guest cannot write to "
     "it; format: qcow2 if the name ends so, else raw; id: its serial number, for "
     "/dev/disk/by-id"},
    {"share", "[path=]DIR[,tag=NAME][,ro]",
     "directory that the guest can use: mount -t 9p -o trans=virtio,version=9p2000.L NAME /mnt; "
     "repeat for more; tag: share0, share1, ... if not given; ro: the guest cannot write to it"},
    {"console", "stdio|pty|none|file=FILE|socket=PATH[,name=TEXT]",
     "where the guest's console is: this terminal [the default], a new pseudo-terminal, nowhere "
     "but "
     "at gunyah console, a file that takes its output, or a Unix socket to connect to; repeat for "
     "more (hvc1, hvc2, ...); name: not a console but a stream for programs, "
     "/dev/virtio-ports/TEXT"},
    {"net", "passt|tap=DEVICE[,mac=ADDRESS][,forward=tcp|udp:HOSTPORT:PORT]",
     "network device; repeat for more (eth0, eth1, ...); passt: as if the guest's programs ran "
     "here, without privileges; forward: what comes to the port HOSTPORT of this machine goes to "
     "the guest's PORT, may be given several times; tap: a tap device of this machine; mac: made "
     "from --name unless given"},
    {"vsock", "[cid=]N[,path=FILE]",
     "a vsock device; the guest is CID N, 3 or more; gunyah vsock connects to its ports, so does "
     "who writes \"CONNECT port\" to the socket FILE; the guest's connections to port P of CID 2 "
     "go to the socket FILE_P [NAME.vsock in the folder of control sockets]"},
};

// The options of `run` as they were typed.
class RunCommand {
public:
    explicit RunCommand(CLI::App& app)
        : run_{*app.add_subcommand("run", "start a Linux guest and stay until it ends")} {
        for (const OptionHelp& help : single_options) {
            auto& [key, value] = singles_.emplace_back(help.key, std::string{});
            run_.add_option("--" + key, value, help.text)->type_name(help.type);
        }
        for (const OptionHelp& help : repeated_options) {
            auto& [key, values] = lists_.emplace_back(help.key, std::vector<std::string>{});
            run_.add_option("--" + key, values, help.text)
                ->type_name(help.type)
                ->allow_extra_args(false);
        }
        run_.add_option("IMAGE", image_,
                        "disk image to boot, with its kernel beside it: NAME.vmlinuz or vmlinuz, "
                        "and perhaps NAME.initrd or initrd.img");
        run_.add_flag("--watchdog", watchdog_,
                      "a watchdog (SP805, /dev/watchdog): a guest that has started and then "
                      "forgets it ends, with exit status 4");
        run_.add_flag("--no-sandbox", no_sandbox_,
                      "keep the privileges, files and system calls that the sandbox takes away");
        run_.add_option("--config", config_files_,
                        "JSON file with the same keys as these options; other options add to it or "
                        "overrule it")
            ->type_name("FILE")
            ->allow_extra_args(false);
        run_.add_flag("--print-config", print_config_,
                      "print what would run as such a file, and end");
        run_.footer(run_footer);
    }

    [[nodiscard]] Request result() const {
        RunOptions options;
        for (const std::string& path : config_files_) {
            apply_config_file(options, path);
        }
        apply_command_line(options, texts());
        if (!image_.empty()) {
            complete_from_image(options, image_);
        }
        check(options);
        if (print_config_) {
            return EarlyExit{ExitStatus::powered_off, print_config(options)};
        }
        return options;
    }

private:
    [[nodiscard]] OptionTexts texts() const {
        OptionTexts texts;
        for (const auto& [key, value] : singles_) {
            if (run_.count("--" + key) != 0) {
                texts.emplace_back(key, value);
            }
        }
        for (const auto& [key, values] : lists_) {
            for (const std::string& value : values) {
                texts.emplace_back(key, value);
            }
        }
        if (no_sandbox_) {
            texts.emplace_back("sandbox", "no");
        }
        if (watchdog_) {
            texts.emplace_back("watchdog", "yes");
        }
        return texts;
    }

    CLI::App& run_;
    // CLI11 keeps references to the values: containers that do not move them.
    std::deque<std::pair<std::string, std::string>> singles_;
    std::deque<std::pair<std::string, std::vector<std::string>>> lists_;
    std::string image_;
    std::vector<std::string> config_files_;
    bool print_config_ = false;
    bool no_sandbox_ = false;
    bool watchdog_ = false;
};

struct ControlHelp {
    ControlCommand::Kind kind;
    const char* name;
    const char* text;
};

constexpr ControlHelp control_commands[] = {
    {ControlCommand::Kind::doctor, "doctor", "whether this machine can run a VM, and if not, why"},
    {ControlCommand::Kind::list, "list", "the VMs that run"},
    {ControlCommand::Kind::info, "info", "what a VM is made of, as JSON"},
    {ControlCommand::Kind::stop, "stop", "press a VM's power button and wait until it has ended"},
    {ControlCommand::Kind::pause, "pause", "let no vCPU of a VM run; its clock goes on"},
    {ControlCommand::Kind::resume, "resume", "let them run again"},
    {ControlCommand::Kind::wait, "wait", "wait until a VM has ended; with the exit status of run"},
    {ControlCommand::Kind::events, "events", "what happens to a VM, a JSON object per line"},
    {ControlCommand::Kind::stats, "stats", "requests and notifications of a VM's devices"},
    {ControlCommand::Kind::console, "console",
     "attach this terminal to a VM's console; Ctrl-] detaches, the VM goes on"},
    {ControlCommand::Kind::vsock, "vsock",
     "join stdin and stdout to a vsock port of a VM, as in ssh -o ProxyCommand='gunyah vsock NAME "
     "22' root@NAME"},
};

// The commands that talk to running VMs.
class ControlCommands {
public:
    explicit ControlCommands(CLI::App& app) {
        for (const ControlHelp& help : control_commands) {
            CLI::App* command = app.add_subcommand(help.name, help.text);
            command->callback([this, kind = help.kind] { command_.emplace().kind = kind; });
            const bool is_about_one_vm = help.kind != ControlCommand::Kind::list &&
                                         help.kind != ControlCommand::Kind::doctor;
            if (help.kind == ControlCommand::Kind::vsock) {
                command->add_option("NAME", name_, "the VM's name")->required();
                command->add_option("PORT", port_, "the guest's port")->required();
            } else if (is_about_one_vm) {
                command->add_option("NAME", name_, "the VM's name; not needed if only one runs");
            }
            if (help.kind == ControlCommand::Kind::stop) {
                command->add_flag("--force", force_, "do not ask the guest: end it");
                command
                    ->add_option("--timeout", timeout_,
                                 "seconds to wait for the guest to shut down [60]")
                    ->check(CLI::Range(1U, 86'400U));
            }
            if (help.kind == ControlCommand::Kind::console) {
                command
                    ->add_option("--console", console_,
                                 "which one, by its number from 0 on or its name [0]")
                    ->type_name("N|TEXT");
                command->footer(console_footer);
            }
        }
    }

    [[nodiscard]] std::optional<ControlCommand> result() const {
        if (!command_) {
            return std::nullopt;
        }
        return ControlCommand{.kind = command_->kind,
                              .name = name_,
                              .force = force_,
                              .timeout_seconds = timeout_,
                              .console = console_,
                              .port = port_};
    }

private:
    std::optional<ControlCommand> command_;
    std::string name_;
    bool force_ = false;
    unsigned timeout_ = 60;
    std::string console_ = "0";
    std::uint32_t port_ = 0;
};

// The commands that write about the others.
class DocumentCommands {
public:
    explicit DocumentCommands(CLI::App& app)
        : app_{app},
          manual_{*app.add_subcommand("manual", "the manual page: gunyah manual | man -l -")},
          completion_{*app.add_subcommand("completion",
                                          "completion for bash: eval \"$(gunyah completion)\"")} {}

    [[nodiscard]] std::optional<EarlyExit> result() const {
        if (manual_.parsed()) {
            return EarlyExit{ExitStatus::powered_off, manual_page(app_)};
        }
        if (completion_.parsed()) {
            return EarlyExit{ExitStatus::powered_off, bash_completion(app_)};
        }
        return std::nullopt;
    }

private:
    const CLI::App& app_;
    const CLI::App& manual_;
    const CLI::App& completion_;
};

EarlyExit complaint(const std::string& sentence) {
    return {ExitStatus::usage_error,
            fmt::format("gunyah: {}; see gunyah --help and gunyah run --help\n", sentence)};
}

} // namespace

Request parse_options(int argc, const char* const* argv) {
    CLI::App app{"Runs virtual machines on the Gunyah hypervisor."};
    app.name("gunyah");
    app.require_subcommand(1);
    app.set_version_flag("--version", "gunyah " GUNYAH_VERSION,
                         "Print this program's version and exit");
    const RunCommand run{app};
    const ControlCommands control{app};
    const DocumentCommands documents{app};
    try {
        app.parse(argc, argv);
        if (auto command = control.result(); command) {
            return std::move(*command);
        }
        if (auto document = documents.result(); document) {
            return std::move(*document);
        }
        return run.result();
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream unused;
        if (app.exit(error, out, unused) == 0) {
            return EarlyExit{ExitStatus::powered_off, out.str()};
        }
        return complaint(error.what());
    } catch (const gunyah::Error& error) {
        return complaint(error.what());
    }
}

} // namespace vmm
