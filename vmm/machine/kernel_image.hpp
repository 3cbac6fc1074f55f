// SPDX-License-Identifier: BSD-3-Clause
// KernelImage: the header of an arm64 Linux Image (Linux, Documentation/arm64/booting.rst).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

namespace vmm {

struct KernelImage {
    static constexpr std::size_t header_size = 64;

    std::uint64_t text_offset; // bytes from a 2 MiB boundary to the first byte of the file
    std::uint64_t image_size;  // bytes it occupies when it runs, BSS included

    // Reads the first bytes of an Image that has `file_size` bytes, 0 = that is not known. The
    // error says what is wrong and what to do about it, in the form "<why>; <advice>".
    static std::expected<KernelImage, std::string> parse(std::span<const std::byte> header,
                                                         std::uint64_t file_size);

    // The instruction at the entry point that jumps over text_offset, for images that have one.
    [[nodiscard]] std::uint32_t entry_branch() const;
};

} // namespace vmm
