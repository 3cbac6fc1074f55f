// SPDX-License-Identifier: BSD-3-Clause
// RawImage: the check of its file's size.
#include "disk/raw_image.hpp"

#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {

RawImage::RawImage(HostFile file) : file_{std::move(file)} {
    if (file_.size() == 0 || file_.size() % sector_size != 0) {
        throw gunyah::Error{
            gunyah::ErrorKind::invalid_input, file_.complaint(),
            fmt::format("its size is {} bytes, not a multiple of 512", file_.size()),
            "a raw image has whole sectors: make one with truncate -s 64M FILE"};
    }
}

} // namespace vmm
