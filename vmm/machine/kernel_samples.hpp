// SPDX-License-Identifier: BSD-3-Clause
// Small kernels in every form, for tests.
#pragma once

#include <elf.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace vmm::test {

// An Image whose file has `file_size` bytes that do not compress too well.
inline std::string image_file(std::uint64_t text_offset, std::uint64_t image_size,
                              std::size_t file_size, std::uint64_t flags = 0xa) {
    std::string file(file_size, 'k');
    for (std::size_t index = 64; index < file_size; ++index) {
        file[index] = static_cast<char>(index * index >> 5);
    }
    const auto put = [&](std::size_t offset, std::uint64_t value) {
        std::memcpy(file.data() + offset, &value, sizeof(value));
    };
    put(8, text_offset);
    put(16, image_size);
    put(24, flags);
    std::memcpy(file.data() + 56, "ARM\x64", 4);
    return file;
}

inline std::string gzip(const std::string& data) {
    z_stream stream{};
    std::string result(data.size() + 1024, '\0');
    if (::deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
        stream.avail_in = static_cast<uInt>(data.size());
        stream.next_out = reinterpret_cast<Bytef*>(result.data());
        stream.avail_out = static_cast<uInt>(result.size());
        ::deflate(&stream, Z_FINISH);
        result.resize(stream.total_out);
        ::deflateEnd(&stream);
    }
    return result;
}

inline std::string zstd(const std::string& data) {
    std::string result(::ZSTD_compressBound(data.size()), '\0');
    result.resize(::ZSTD_compress(result.data(), result.size(), data.data(), data.size(), 3));
    return result;
}

// An EFI program that unpacks `payload`, which says to be compressed by `type`.
inline std::string zboot(const std::string& payload, const std::string& type) {
    std::string file(512, '\0');
    const auto put = [&](std::size_t offset, std::uint32_t value) {
        std::memcpy(file.data() + offset, &value, sizeof(value));
    };
    file.replace(0, 2, "MZ");
    file.replace(4, 4, "zimg");
    put(8, static_cast<std::uint32_t>(file.size()));
    put(12, static_cast<std::uint32_t>(payload.size()));
    file.replace(24, type.size(), type);
    return file + payload + "what stands behind it";
}

// A vmlinux of two segments: the first `split` bytes of `image`, and the rest, in reverse order.
inline std::string elf(const std::string& image, std::size_t split) {
    constexpr std::uint64_t base = 0xffff'8000'0800'0000;
    constexpr std::size_t headers = 256;
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = EM_AARCH64;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    Elf64_Phdr segments[2]{};
    segments[0] = {.p_type = PT_LOAD,
                   .p_flags = PF_R,
                   .p_offset = headers + split,
                   .p_vaddr = base + split,
                   .p_paddr = base + split,
                   .p_filesz = image.size() - split,
                   .p_memsz = image.size() - split,
                   .p_align = 4096};
    segments[1] = segments[0];
    segments[1].p_offset = headers;
    segments[1].p_vaddr = base;
    segments[1].p_filesz = split;
    std::string file(headers, '\0');
    std::memcpy(file.data(), &header, sizeof(header));
    std::memcpy(file.data() + sizeof(header), segments, sizeof(segments));
    return file + image;
}

} // namespace vmm::test
