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

    std::string path;
    bool read_only = false;
    std::string format; // "raw", "qcow2"; empty: by the file's name
    std::string id;     // the serial number that the guest sees; empty: "disk" and its number
};

struct ShareOption {
    static constexpr const char* first_key = "path";

    std::string path;
    std::string tag; // what the guest mounts it by; empty: "share" and its number
    bool read_only = false;
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
    std::string console = "stdio"; // or "pty", or a file name
};

// Throws gunyah::Error for a combination that cannot be run; names options as the command line
// does.
void check(const RunOptions& options);

} // namespace vmm
