// SPDX-License-Identifier: BSD-3-Clause
// KernelImage: tells an arm64 Image from the files that are given for one by mistake.
#include "machine/kernel_image.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

namespace vmm {
namespace {

constexpr std::size_t text_offset_offset = 8;
constexpr std::size_t image_size_offset = 16;
constexpr std::size_t flags_offset = 24;
constexpr std::size_t magic_offset = 56;
constexpr std::string_view magic = "ARM\x64";
constexpr std::uint64_t flag_big_endian = 1;
constexpr std::uint64_t branch_reach = std::uint64_t{128} << 20;
// Images before Linux 3.17 have image_size 0 and stand at this fixed offset.
constexpr std::uint64_t legacy_text_offset = 0x8'0000;

std::uint64_t field(std::span<const std::byte> header, std::size_t offset) {
    std::uint64_t value = 0;
    std::memcpy(&value, header.data() + offset, sizeof(value));
    return value;
}

bool starts_with(std::span<const std::byte> header, std::string_view text, std::size_t offset = 0) {
    return header.size() >= offset + text.size() &&
           std::memcmp(header.data() + offset, text.data(), text.size()) == 0;
}

} // namespace

std::expected<KernelImage, std::string> KernelImage::parse(std::span<const std::byte> header,
                                                           std::uint64_t file_size) {
    if (header.size() < header_size || !starts_with(header, magic, magic_offset)) {
        return std::unexpected{"it is not an arm64 Linux kernel; give an arm64 Image, such as "
                               "Debian's /boot/vmlinuz-*-arm64"};
    }
    if ((field(header, flags_offset) & flag_big_endian) != 0) {
        return std::unexpected{"it is a big-endian kernel; use a little-endian one"};
    }
    KernelImage image{field(header, text_offset_offset), field(header, image_size_offset)};
    if (image.image_size == 0) {
        image.text_offset = legacy_text_offset;
    }
    image.image_size = std::max(image.image_size, file_size);
    if (image.text_offset >= branch_reach || image.text_offset % 4 != 0) {
        return std::unexpected{fmt::format(
            "its load offset {:#x} is not possible; the file is damaged", image.text_offset)};
    }
    return image;
}

std::uint32_t KernelImage::entry_branch() const {
    // B (Arm DDI 0487, C6.2.26): offset in words in the low 26 bits.
    return 0x1400'0000U | static_cast<std::uint32_t>(text_offset / 4);
}

} // namespace vmm
