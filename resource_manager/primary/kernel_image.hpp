// SPDX-License-Identifier: BSD-3-Clause
// The header of an arm64 Linux Image (kernel documentation, arch/arm64/booting).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>

namespace rm {

/// Bytes of an Image that its header takes.
inline constexpr std::size_t image_header_size = 64;

struct KernelImage {
    std::uint64_t text_offset; // from a 2 MiB aligned address to the image's first byte
    std::uint64_t image_size;  // bytes from there that the kernel uses, its BSS included

    /// Reads a header, or gives a static phrase that says why it is none.
    static std::expected<KernelImage, const char*> parse(std::span<const std::byte> header);
};

} // namespace rm
