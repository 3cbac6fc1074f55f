// SPDX-License-Identifier: BSD-3-Clause
// complete_from_image(): looks beside the image.
#include "app/disk_guest.hpp"

#include <filesystem>
#include <initializer_list>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

namespace fs = std::filesystem;

// The first of `names` that is there; empty if none is.
std::string first_of(const fs::path& folder, std::initializer_list<std::string> names) {
    for (const std::string& name : names) {
        std::error_code ignored;
        if (fs::exists(folder / name, ignored)) {
            return folder / name;
        }
    }
    return {};
}

} // namespace

void complete_from_image(RunOptions& options, const std::string& image) {
    const std::string failed = fmt::format("cannot run {}", image);
    std::error_code ignored;
    if (!fs::exists(image, ignored)) {
        throw gunyah::Error{gunyah::ErrorKind::not_found, failed, "there is no such file",
                            "give a disk image, or only options"};
    }
    const fs::path folder = fs::path{image}.parent_path();
    const std::string name = fs::path{image}.stem();
    if (options.kernel.empty()) {
        options.kernel = first_of(folder, {name + ".vmlinuz", "vmlinuz"});
        if (options.kernel.empty()) {
            throw gunyah::Error{
                gunyah::ErrorKind::not_found, failed, "there is no kernel beside it",
                fmt::format("put one there as {0}.vmlinuz (and its initrd as {0}.initrd), or name "
                            "it with --kernel",
                            name)};
        }
        if (options.initrd.empty()) {
            options.initrd = first_of(folder, {name + ".initrd", "initrd.img"});
        }
    }
    if (options.command_line == RunOptions{}.command_line) {
        options.command_line += " root=/dev/vda";
    }
    options.disks.insert(options.disks.begin(),
                         DiskOption{.path = image, .read_only = false, .format = {}, .id = {}});
}

} // namespace vmm
