// SPDX-License-Identifier: BSD-3-Clause
// The payload that the boot loader put into memory for the primary VM: kernel and initrd.
#pragma once

#include "device_tree/tree.hpp"
#include "memory/range.hpp"

#include <optional>
#include <string_view>

namespace rm {

/// /chosen children compatible with "multiboot,module" (the convention of Xen and of QEMU's
/// guest-loader). Without a "multiboot,ramdisk" the initrd is what linux,initrd-start and -end say.
/// Strings refer to the tree.
struct BootModules {
    std::optional<Range> kernel;
    std::optional<Range> initrd;
    std::string_view bootargs;
};

BootModules find_boot_modules(const void* fdt);

/// True for the nodes above: the primary VM does not see them.
bool is_boot_module(const void* fdt, dt::Node node);

} // namespace rm
