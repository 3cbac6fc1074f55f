// SPDX-License-Identifier: BSD-3-Clause
// kexec_load(2) and reboot(2) with a kernel, an initrd and this machine's device tree.
#include "kexec.hpp"

#include <libfdt.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "memory.hpp"

extern "C" {
extern const char kexec_entry_begin[];
extern const char kexec_entry_values[];
extern const char kexec_entry_end[];
}

namespace driver {
namespace {

// Within the RAM of the smallest machine of the tests. The kernel wants to begin at 2 MiB's, the
// tree not to cross one of these.
constexpr std::uint64_t entry_address = 0x5fc0'0000;
constexpr std::uint64_t tree_address = 0x5fe0'0000;
constexpr std::uint64_t kernel_address = 0x6000'0000;
constexpr std::uint64_t initrd_address = 0x6800'0000;
constexpr std::size_t tree_size = mebibyte;
// The Image's header says how much memory it needs from its beginning, booting.rst.
constexpr std::size_t image_size_offset = 16;

std::vector<char> contents(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::size_t whole_pages(std::size_t size) {
    return (size + page - 1) / page * page;
}

kexec_segment segment(const std::vector<char>& data, std::uint64_t address, std::size_t size) {
    return {.buf = data.data(),
            .bufsz = data.size(),
            .mem = std::bit_cast<void*>(address),
            .memsz = whole_pages(size)};
}

bool put_initrd(std::vector<char>& tree, std::size_t size) {
    const std::vector<char> old = contents("/sys/firmware/fdt");
    tree.resize(tree_size);
    if (old.empty() || fdt_open_into(old.data(), tree.data(), static_cast<int>(tree_size)) != 0) {
        return false;
    }
    const int chosen = fdt_path_offset(tree.data(), "/chosen");
    return chosen >= 0 &&
           fdt_setprop_u64(tree.data(), chosen, "linux,initrd-start", initrd_address) == 0 &&
           fdt_setprop_u64(tree.data(), chosen, "linux,initrd-end", initrd_address + size) == 0;
}

std::vector<char> entry() {
    std::vector<char> code{kexec_entry_begin, kexec_entry_end};
    const std::array values{tree_address, kernel_address};
    std::memcpy(code.data() + (kexec_entry_values - kexec_entry_begin), values.data(),
                sizeof(values));
    return code;
}

} // namespace

std::string kexec(const std::string& kernel, const std::string& initrd) {
    const std::vector<char> image = contents(kernel);
    const std::vector<char> files = contents(initrd);
    std::vector<char> tree;
    if (image.size() < page || files.empty() || !put_initrd(tree, files.size())) {
        return "no kernel, no initrd, or no device tree";
    }
    std::uint64_t image_size = 0;
    std::memcpy(&image_size, image.data() + image_size_offset, sizeof(image_size));
    const std::vector<char> code = entry();
    const std::array segments{
        segment(code, entry_address, code.size()), segment(tree, tree_address, tree.size()),
        segment(image, kernel_address, image_size), segment(files, initrd_address, files.size())};
    if (::syscall(SYS_kexec_load, entry_address, segments.size(), segments.data(),
                  KEXEC_ARCH_AARCH64) != 0) {
        return std::string{"kexec_load: "} + std::strerror(errno);
    }
    ::sync();
    ::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
              nullptr);
    return std::string{"reboot: "} + std::strerror(errno);
}

} // namespace driver
