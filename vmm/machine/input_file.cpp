// SPDX-License-Identifier: BSD-3-Clause
// InputFile: opening with checks, complete reads.
#include "machine/input_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {

using gunyah::Error;
using gunyah::ErrorKind;

InputFile InputFile::open(const std::string& role, const std::string& path) {
    std::string complaint = fmt::format("cannot use {} {}", role, path);
    gunyah::FileDescriptor fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status{};
    if (!fd || ::fstat(fd.get(), &status) != 0) {
        throw Error::from_errno(errno, complaint, "", "check the path");
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error{ErrorKind::invalid_input, complaint, "it is not a regular file", ""};
    }
    if (status.st_size == 0) {
        throw Error{ErrorKind::invalid_input, complaint, "it is empty", ""};
    }
    return {std::move(fd), static_cast<std::uint64_t>(status.st_size), std::move(complaint)};
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> to) const {
    while (!to.empty()) {
        const ssize_t count = ::pread(fd_.get(), to.data(), to.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            throw Error::from_errno(errno, complaint_, "it cannot be read");
        }
        if (count == 0) {
            throw Error{ErrorKind::failed, complaint_, "it became shorter while it was read", ""};
        }
        offset += static_cast<std::uint64_t>(count);
        to = to.subspan(static_cast<std::size_t>(count));
    }
}

} // namespace vmm
