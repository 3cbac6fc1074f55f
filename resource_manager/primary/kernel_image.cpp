// SPDX-License-Identifier: BSD-3-Clause
// Checks the 64 bytes at the start of an arm64 Image.
#include "primary/kernel_image.hpp"

#include "rpc/wire.hpp"

namespace rm {

namespace {

constexpr std::uint32_t image_magic = 0x644d5241; // "ARM\x64" at offset 56
constexpr std::uint64_t flag_big_endian = 1;

} // namespace

std::expected<KernelImage, const char*> KernelImage::parse(std::span<const std::byte> header) {
    if (header.size() < image_header_size) {
        return std::unexpected("it is shorter than the header of an arm64 Image");
    }
    if (header[0] == std::byte{0x1f} && header[1] == std::byte{0x8b}) {
        return std::unexpected("it is compressed with gzip; unpack it first");
    }
    Reader reader(header.subspan(8));
    KernelImage image{};
    image.text_offset = reader.u64();
    image.image_size = reader.u64();
    const std::uint64_t flags = reader.u64();
    Reader magic(header.subspan(56));
    if (magic.u32() != image_magic) {
        return std::unexpected("it is no arm64 Linux Image (no magic number at offset 56)");
    }
    if (image.image_size == 0) {
        return std::unexpected("its header has no image_size (kernel older than 3.17)");
    }
    if ((flags & flag_big_endian) != 0) {
        return std::unexpected("it is a big-endian kernel");
    }
    return image;
}

} // namespace rm
