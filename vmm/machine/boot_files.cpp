// SPDX-License-Identifier: BSD-3-Clause
// BootFiles: opens, makes the memory plan, loads.
#include "machine/boot_files.hpp"

#include <cstring>

#include <fmt/format.h>

#include "libgunyah/error.hpp"
#include "machine/layout.hpp"

namespace vmm {
namespace {

using gunyah::Error;
using gunyah::ErrorKind;

std::span<std::byte> at(const GuestMemory& memory, std::uint64_t address, std::uint64_t size) {
    return memory.range(address, size).value(); // inside RAM by MemoryPlan's promise
}

} // namespace

BootFiles BootFiles::open(const std::string& kernel_path, const std::string& initrd_path,
                          std::uint64_t ram_size) {
    KernelFile kernel = KernelFile::open(kernel_path);
    const KernelImage image = kernel.image();
    std::optional<InputFile> initrd;
    if (!initrd_path.empty()) {
        initrd = InputFile::open("initrd", initrd_path);
    }
    const std::uint64_t initrd_size = initrd ? initrd->size() : 0;
    const auto plan = MemoryPlan::make(ram_size, image, initrd_size);
    if (!plan) {
        const std::uint64_t needed = MemoryPlan::smallest_ram(image, initrd_size);
        throw Error{ErrorKind::invalid_input,
                    fmt::format("cannot load the guest into {} MiB of memory", ram_size >> 20),
                    initrd ? "kernel and initrd do not fit" : "the kernel does not fit",
                    fmt::format("use --mem {}M or more", needed >> 20)};
    }
    return {std::move(kernel), std::move(initrd), *plan};
}

std::optional<AddressRange> BootFiles::initrd_range() const {
    if (!initrd_) {
        return std::nullopt;
    }
    return AddressRange{plan_.initrd, plan_.initrd + initrd_->size()};
}

void BootFiles::load(const GuestMemory& memory) const {
    const KernelImage& image = kernel_.image();
    kernel_.load(at(memory, plan_.kernel, image.image_size));
    if (image.text_offset != 0) {
        const std::uint32_t branch = image.entry_branch();
        std::memcpy(at(memory, layout::ram_base, sizeof(branch)).data(), &branch, sizeof(branch));
    }
    if (initrd_) {
        initrd_->read(0, at(memory, plan_.initrd, initrd_->size()));
    }
}

} // namespace vmm
