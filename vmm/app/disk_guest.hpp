// SPDX-License-Identifier: BSD-3-Clause
// A guest that is given as nothing but a disk image: `gunyah run debian.qcow2`.
#pragma once

#include <string>

#include "app/run_options.hpp"

namespace vmm {

// Makes `image` the guest's first disk. What `options` does not say yet is found beside it: the
// kernel as NAME.vmlinuz or vmlinuz, where NAME is the image's name without its ending, an initrd
// as NAME.initrd or initrd.img; the kernel command line names the disk as root. Throws
// gunyah::Error when the image or a kernel is missing.
void complete_from_image(RunOptions& options, const std::string& image);

} // namespace vmm
