// SPDX-License-Identifier: BSD-3-Clause
// KernelFile: tells the forms apart by their first bytes, reads the Image's header through them.
#include "machine/kernel_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

// zboot-header.S: offsets of what follows "MZ".
constexpr std::size_t zboot_magic_at = 4;
constexpr std::size_t zboot_offset_at = 8;
constexpr std::size_t zboot_size_at = 12;
constexpr std::size_t zboot_type_at = 24;
constexpr std::size_t zboot_type_size = 32;
constexpr std::size_t zboot_header_size = zboot_type_at + zboot_type_size;

[[noreturn]] void refuse(const InputFile& file, const std::string& why,
                         const std::string& advice = {}) {
    throw Error{ErrorKind::invalid_input, file.complaint(), why, advice};
}

bool is_zboot(std::span<const std::byte> begin) {
    return begin.size() >= zboot_header_size && std::memcmp(begin.data(), "MZ", 2) == 0 &&
           std::memcmp(begin.data() + zboot_magic_at, "zimg", 4) == 0;
}

KernelImage parse_image(const InputFile& file, std::span<const std::byte> header,
                        std::uint64_t known_size) {
    const auto image = KernelImage::parse(header, known_size);
    if (!image) {
        refuse(file, image.error());
    }
    return *image;
}

} // namespace

KernelFile KernelFile::open(const std::string& path) {
    InputFile file = InputFile::open("kernel", path);
    std::array<std::byte, ElfKernel::header_size> buffer{};
    const auto begin = std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), file.size()));
    file.read(0, begin);
    const Payload payload = find_payload(file, begin);
    std::array<std::byte, KernelImage::header_size> header{};
    if (payload.compression) {
        const auto source =
            Decompressor::create(*payload.compression, file, payload.offset, payload.size);
        const std::size_t count = source->read(header);
        const KernelImage image = parse_image(file, std::span{header}.first(count), 0);
        if (image.image_size == 0) {
            refuse(file, "it is compressed and too old to say how large it is", "unpack it first");
        }
        return {std::move(file), payload, std::nullopt, image};
    }
    if (!ElfKernel::is_one(begin)) {
        const auto start = begin.first(std::min(header.size(), begin.size()));
        const KernelImage image = parse_image(file, start, file.size());
        return {std::move(file), payload, std::nullopt, image};
    }
    auto elf = ElfKernel::parse(begin, file.size());
    if (!elf) {
        refuse(file, elf.error());
    }
    const auto& first = elf->segments.front();
    const auto start = std::span{header}.first(std::min<std::uint64_t>(header.size(), first.size));
    file.read(first.file_offset, start);
    const KernelImage image = parse_image(file, start, elf->size);
    return {std::move(file), payload, std::move(*elf), image};
}

KernelFile::Payload KernelFile::find_payload(const InputFile& file,
                                             std::span<const std::byte> begin) {
    if (is_zboot(begin)) {
        return find_in_efi(file, begin);
    }
    return {.offset = 0, .size = file.size(), .compression = compression_of(begin)};
}

KernelFile::Payload KernelFile::find_in_efi(const InputFile& file,
                                            std::span<const std::byte> begin) {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
    std::memcpy(&offset, begin.data() + zboot_offset_at, sizeof(offset));
    std::memcpy(&size, begin.data() + zboot_size_at, sizeof(size));
    if (offset > file.size() || size > file.size() - offset) {
        refuse(file, "its kernel lies outside the file", "the file is damaged");
    }
    // The type by the data itself, as it cannot be wrong.
    std::array<std::byte, 4> magic{};
    const auto start = std::span{magic}.first(std::min<std::size_t>(size, magic.size()));
    file.read(offset, start);
    const auto compression = compression_of(start);
    if (!compression) {
        std::string_view type{reinterpret_cast<const char*>(begin.data()) + zboot_type_at,
                              zboot_type_size};
        type = type.substr(0, type.find('\0'));
        const bool printable = std::ranges::all_of(type, [](char c) { return c > ' ' && c < 127; });
        refuse(file,
               fmt::format("it is an EFI program with a kernel compressed by '{}', neither gzip "
                           "nor zstd",
                           printable ? type : "?"),
               "use the uncompressed Image");
    }
    return {.offset = offset, .size = size, .compression = compression};
}

void KernelFile::load(std::span<std::byte> to) const {
    if (payload_.compression) {
        unpack(to);
    } else if (elf_) {
        load_elf(to);
    } else {
        file_.read(0, to.first(std::min<std::uint64_t>(to.size(), file_.size())));
    }
}

void KernelFile::load_elf(std::span<std::byte> to) const {
    for (const auto& segment : elf_->segments) {
        // image_size is at least the size of all segments.
        file_.read(segment.file_offset, to.subspan(segment.offset, segment.size));
    }
}

void KernelFile::unpack(std::span<std::byte> to) const {
    const auto source =
        Decompressor::create(*payload_.compression, file_, payload_.offset, payload_.size);
    std::array<std::byte, 1> more{};
    const std::size_t size = source->read(to);
    if (size == to.size() && source->read(more) != 0) {
        refuse(file_, "there is more in it than its header says", "the file is damaged");
    }
    std::ranges::fill(to.subspan(size), std::byte{0});
}

} // namespace vmm
