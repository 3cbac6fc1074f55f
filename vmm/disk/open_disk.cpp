// SPDX-License-Identifier: BSD-3-Clause
// open_disk(): which format a disk has.
#include "disk/open_disk.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "disk/host_file.hpp"
#include "disk/qcow2_header.hpp"
#include "disk/qcow2_image.hpp"
#include "disk/raw_image.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

void require_no_qcow2(const HostFile& file) {
    std::array<std::byte, Qcow2Header::magic.size()> start{};
    if (file.size() >= start.size() && file.read(start, 0) &&
        std::ranges::equal(start, Qcow2Header::magic)) {
        throw Error{ErrorKind::invalid_input, file.complaint(), "it begins like a qcow2 image",
                    "say which it is: --disk FILE,format=qcow2 or format=raw"};
    }
}

} // namespace

std::unique_ptr<DiskImage> open_disk(const std::string& path, bool read_only,
                                     const std::string& format) {
    if (format == "qcow2" || (format.empty() && path.ends_with(".qcow2"))) {
        return Qcow2Image::open(path, read_only);
    }
    HostFile file = HostFile::open(path, read_only);
    if (!format.empty() && format != "raw") {
        throw Error{ErrorKind::invalid_input, file.complaint(),
                    "'" + format + "' is no format known here", "use raw or qcow2"};
    }
    if (format.empty()) {
        require_no_qcow2(file);
    }
    return std::make_unique<RawImage>(std::move(file));
}

} // namespace vmm
