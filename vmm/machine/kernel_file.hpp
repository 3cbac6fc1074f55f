// SPDX-License-Identifier: BSD-3-Clause
// KernelFile: a kernel in any of the forms it comes in.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "machine/decompressor.hpp"
#include "machine/elf_kernel.hpp"
#include "machine/input_file.hpp"
#include "machine/kernel_image.hpp"

namespace vmm {

// An arm64 Image; one that is compressed with gzip or zstd; one inside a self-extracting EFI
// program (Linux, drivers/firmware/efi/libstub/zboot-header.S) compressed so; or an ELF vmlinux.
class KernelFile {
public:
    // Throws gunyah::Error that says what the file is instead.
    static KernelFile open(const std::string& path);

    [[nodiscard]] const KernelImage& image() const { return image_; }

    // Puts the image into `to`, which has image().image_size bytes, all zero. Throws gunyah::Error
    // when the file is damaged.
    void load(std::span<std::byte> to) const;

private:
    // Where the Image is in the file.
    struct Payload {
        std::uint64_t offset;
        std::uint64_t size;
        std::optional<Compression> compression; // nothing: as it is
    };

    KernelFile(InputFile file, Payload payload, std::optional<ElfKernel> elf, KernelImage image)
        : file_{std::move(file)}, payload_{payload}, elf_{std::move(elf)}, image_{image} {}

    static Payload find_payload(const InputFile& file, std::span<const std::byte> begin);
    static Payload find_in_efi(const InputFile& file, std::span<const std::byte> begin);
    void load_elf(std::span<std::byte> to) const;
    void unpack(std::span<std::byte> to) const;

    InputFile file_;
    Payload payload_;
    std::optional<ElfKernel> elf_;
    KernelImage image_;
};

} // namespace vmm
