// SPDX-License-Identifier: BSD-3-Clause
// ElfKernel: checks each program header before it is used.
#include "machine/elf_kernel.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace vmm {
namespace {

// More than any kernel occupies: keeps sums small.
constexpr std::uint64_t largest_image = std::uint64_t{4} << 30;

std::unexpected<std::string> damaged() {
    return std::unexpected<std::string>{"its ELF headers are wrong; the file is damaged"};
}

struct Loadable {
    ElfKernel::Segment segment;
    std::uint64_t address;
};

} // namespace

bool ElfKernel::is_one(std::span<const std::byte> header) {
    return header.size() >= SELFMAG && std::memcmp(header.data(), ELFMAG, SELFMAG) == 0;
}

std::expected<ElfKernel, std::string> ElfKernel::parse(std::span<const std::byte> header,
                                                       std::uint64_t file_size) {
    Elf64_Ehdr elf{};
    if (header.size() < sizeof(elf)) {
        return damaged();
    }
    std::memcpy(&elf, header.data(), sizeof(elf));
    if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB ||
        elf.e_machine != EM_AARCH64) {
        return std::unexpected{"it is an ELF file of another machine; give an arm64 kernel"};
    }
    if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phoff > header.size() ||
        elf.e_phnum > (header.size() - elf.e_phoff) / sizeof(Elf64_Phdr)) {
        return damaged();
    }
    std::vector<Loadable> found;
    for (std::size_t index = 0; index < elf.e_phnum; ++index) {
        Elf64_Phdr segment{};
        std::memcpy(&segment, header.data() + elf.e_phoff + index * sizeof(segment),
                    sizeof(segment));
        if (segment.p_type != PT_LOAD || segment.p_filesz == 0) {
            continue;
        }
        if (segment.p_offset > file_size || segment.p_filesz > file_size - segment.p_offset) {
            return damaged();
        }
        found.push_back({{segment.p_offset, segment.p_filesz, 0}, segment.p_vaddr});
    }
    if (found.empty()) {
        return std::unexpected{"there is nothing to load in it; give a vmlinux or an Image"};
    }
    std::ranges::sort(found, {}, &Loadable::address);
    ElfKernel kernel{.segments = {}, .size = 0};
    for (Loadable& part : found) {
        part.segment.offset = part.address - found.front().address;
        if (part.segment.offset < kernel.size || part.segment.offset > largest_image ||
            part.segment.size > largest_image) {
            return damaged();
        }
        kernel.size = part.segment.offset + part.segment.size;
        kernel.segments.push_back(part.segment);
    }
    return kernel;
}

} // namespace vmm
