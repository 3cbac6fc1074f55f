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
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "memory.hpp"

extern "C" {
extern const char kexec_entry_begin[];
extern const char kexec_entry_values[];
extern const char kexec_entry_end[];
}

namespace driver {
namespace {

// Where everything goes, from a multiple of 2 MiB on. The kernel wants to begin at 2 MiB's, the
// tree not to cross one of these.
constexpr std::uint64_t tree_offset = 2 * mebibyte;
constexpr std::uint64_t kernel_offset = 4 * mebibyte;
constexpr std::uint64_t initrd_offset = 132 * mebibyte;
// Within the RAM of the smallest machine of the tests.
constexpr std::uint64_t usual_place = 0x5fc0'0000;
constexpr std::size_t tree_size = mebibyte;

// Physical addresses; no size: the new kernel has all memory.
struct Place {
    std::uint64_t begin;
    std::uint64_t size;
};
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

// The devicetree specification's /chosen, and linux,usable-memory-range, which Linux has for arm64.
bool put_chosen(std::vector<char>& tree, const Place& place, std::size_t initrd_size) {
    const std::vector<char> old = contents("/sys/firmware/fdt");
    tree.resize(tree_size);
    if (old.empty() || fdt_open_into(old.data(), tree.data(), static_cast<int>(tree_size)) != 0) {
        return false;
    }
    const int chosen = fdt_path_offset(tree.data(), "/chosen");
    const std::uint64_t initrd = place.begin + initrd_offset;
    const bool has_initrd =
        chosen >= 0 && fdt_setprop_u64(tree.data(), chosen, "linux,initrd-start", initrd) == 0 &&
        fdt_setprop_u64(tree.data(), chosen, "linux,initrd-end", initrd + initrd_size) == 0;
    constexpr const char* usable = "linux,usable-memory-range";
    return has_initrd &&
           (place.size == 0 || (fdt_setprop_u64(tree.data(), chosen, usable, place.begin) == 0 &&
                                fdt_appendprop_u64(tree.data(), chosen, usable, place.size) == 0));
}

std::vector<char> entry(const Place& place) {
    std::vector<char> code{kexec_entry_begin, kexec_entry_end};
    const std::array values{place.begin + tree_offset, place.begin + kernel_offset};
    std::memcpy(code.data() + (kexec_entry_values - kexec_entry_begin), values.data(),
                sizeof(values));
    return code;
}

// "  60000000-78ffffff : Crash kernel" of /proc/iomem.
std::optional<Place> reserved_place() {
    std::ifstream file{"/proc/iomem"};
    for (std::string line; std::getline(file, line);) {
        std::uint64_t begin = 0;
        std::uint64_t last = 0;
        if (line.find("Crash kernel") != std::string::npos &&
            std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64, &begin, &last) == 2 && begin != 0) {
            return Place{begin, last + 1 - begin};
        }
    }
    return std::nullopt;
}

std::string load(const std::string& kernel, const std::string& initrd, const Place& place,
                 unsigned long flags) {
    const std::vector<char> image = contents(kernel);
    const std::vector<char> files = contents(initrd);
    std::vector<char> tree;
    if (image.size() < page || files.empty() || !put_chosen(tree, place, files.size())) {
        return "no kernel, no initrd, or no device tree";
    }
    std::uint64_t image_size = 0;
    std::memcpy(&image_size, image.data() + image_size_offset, sizeof(image_size));
    const std::vector<char> code = entry(place);
    const std::array segments{segment(code, place.begin, code.size()),
                              segment(tree, place.begin + tree_offset, tree.size()),
                              segment(image, place.begin + kernel_offset, image_size),
                              segment(files, place.begin + initrd_offset, files.size())};
    if (::syscall(SYS_kexec_load, place.begin, segments.size(), segments.data(),
                  KEXEC_ARCH_AARCH64 | flags) != 0) {
        return std::string{"kexec_load: "} + std::strerror(errno);
    }
    return {};
}

} // namespace

std::string kexec(const std::string& kernel, const std::string& initrd) {
    std::string failed = load(kernel, initrd, {usual_place, 0}, 0);
    if (!failed.empty()) {
        return failed;
    }
    ::sync();
    ::syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
              nullptr);
    return std::string{"reboot: "} + std::strerror(errno);
}

std::string kexec_on_panic(const std::string& kernel, const std::string& initrd) {
    const auto place = reserved_place();
    return place ? load(kernel, initrd, *place, KEXEC_ON_CRASH)
                 : "this kernel has reserved no memory for that";
}

} // namespace driver
