// SPDX-License-Identifier: BSD-3-Clause
// open_disk(): from a path and a format's name to a disk.
#pragma once

#include <memory>
#include <string>

#include "disk/disk_image.hpp"

namespace vmm {

// `format`: "raw", "qcow2", or empty: qcow2 if the name ends in .qcow2, else raw. What stands in
// the file does not decide, since the guest of a raw disk can write anything there; a raw disk that
// begins like a qcow2 image is refused unless `format` says raw. Throws gunyah::Error.
std::unique_ptr<DiskImage> open_disk(const std::string& path, bool read_only,
                                     const std::string& format);

} // namespace vmm
