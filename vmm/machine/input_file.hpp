// SPDX-License-Identifier: BSD-3-Clause
// InputFile: a kernel or initrd that is read into guest memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

class InputFile {
public:
    // `role` ("kernel", "initrd") begins the error sentences. Throws gunyah::Error when `path` is
    // missing, unreadable, empty or no regular file.
    static InputFile open(const std::string& role, const std::string& path);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    // Reads `to.size()` bytes from `offset`; throws gunyah::Error if there are fewer.
    void read(std::uint64_t offset, std::span<std::byte> to) const;
    // "cannot use <role> <path>", for further complaints about the file.
    [[nodiscard]] const std::string& complaint() const { return complaint_; }

private:
    InputFile(gunyah::FileDescriptor fd, std::uint64_t size, std::string complaint)
        : fd_{std::move(fd)}, size_{size}, complaint_{std::move(complaint)} {}

    gunyah::FileDescriptor fd_;
    std::uint64_t size_;
    std::string complaint_;
};

} // namespace vmm
