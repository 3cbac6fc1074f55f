// SPDX-License-Identifier: BSD-3-Clause
// ElfKernel: where the parts of an arm64 vmlinux stand in file and memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace vmm {

// What objcopy -O binary would make of it: its first byte is that of the lowest segment, which is
// the header of the Image (System V ABI, "Program Header"; Linux,
// Documentation/arch/arm64/booting).
struct ElfKernel {
    // As much of a file as is needed: the ELF header and the program headers behind it.
    static constexpr std::size_t header_size = 4096;

    struct Segment {
        std::uint64_t file_offset;
        std::uint64_t size;   // bytes in the file, all there
        std::uint64_t offset; // from the image's first byte on
    };
    std::vector<Segment> segments; // by ascending offset; they do not overlap
    std::uint64_t size;            // of the image, as far as it comes from the file

    static bool is_one(std::span<const std::byte> header);
    // `header`: the first bytes of a file of `file_size` bytes. The error is "<why>; <advice>".
    static std::expected<ElfKernel, std::string> parse(std::span<const std::byte> header,
                                                       std::uint64_t file_size);
};

} // namespace vmm
