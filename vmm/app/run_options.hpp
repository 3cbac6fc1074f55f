// SPDX-License-Identifier: BSD-3-Clause
// RunOptions: everything that `gunyah run` can be told, whichever way it was told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vmm {

struct DiskOption {
    // What stands first in "--disk a.raw,ro" without a key.
    static constexpr const char* first_key = "path";
    static constexpr const char* repeated_key = ""; // may be given more than once

    std::string path;
    bool read_only = false;
    std::string format; // "raw", "qcow2"; empty: by the file's name
    std::string id;     // the serial number that the guest sees; empty: "disk" and its number
};

struct ShareOption {
    static constexpr const char* first_key = "path";
    static constexpr const char* repeated_key = "";

    std::string path;
    std::string tag; // what the guest mounts it by; empty: "share" and its number
    bool read_only = false;
};

// One of `to`, `file` and `socket` is given.
struct ConsoleOption {
    static constexpr const char* first_key = "to";
    static constexpr const char* repeated_key = "";

    std::string to;     // "stdio", "pty", "none", or the name of a file
    std::string file;   // that takes the output
    std::string socket; // path of a Unix socket to listen at
    std::string name;   // of a stream for programs; empty: a console of the guest
};

struct NetOption {
    static constexpr const char* first_key = "backend";
    static constexpr const char* repeated_key = "forward";

    std::string backend;               // "passt", "tap"; empty: tap if one is named, else passt
    std::string tap;                   // the host's tap device
    std::string mac;                   // empty: made from the VM's name
    std::vector<std::string> forwards; // "tcp:2222:22": the host's port, then the guest's
};

struct VsockOption {
    static constexpr const char* first_key = "cid";
    static constexpr const char* repeated_key = "";

    std::uint32_t cid = 3;
    std::string path; // empty: default_vsock_path()
};

struct RunOptions {
    std::string name; // empty: none
    std::string kernel;
    std::string initrd;              // empty: none
    std::string device_tree_overlay; // a file; empty: none
    std::string device_tree_dump;    // a file to write the tree to; empty: none
    std::string command_line = "console=ttyAMA0";
    std::uint32_t cpus = 1;
    std::uint64_t memory = std::uint64_t{256} << 20; // bytes, a multiple of 2 MiB
    std::vector<DiskOption> disks;
    std::vector<ShareOption> shares;
    std::vector<ConsoleOption> consoles; // none: one at stdio
    bool watchdog = false;
    bool sandbox = true;
    std::string user; // whom root becomes in the sandbox; empty: a usual one
    std::vector<NetOption> nets;
    std::vector<VsockOption> vsocks; // at most one
};

// The consoles that `options` ask for, at least one.
std::vector<ConsoleOption> consoles_of(const RunOptions& options);

// Throws gunyah::Error for a combination that cannot be run; names options as the command line
// does.
void check(const RunOptions& options);

} // namespace vmm
