// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the block device's queue over a raw disk in memory.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "disk/raw_image.hpp"
#include "fuzz/device_driver.hpp"
#include "virtio/block_device.hpp"

namespace {

constexpr off_t disk_size = 64 * 1024;

// A file without a file system: flushing it costs nothing.
int memory_file() {
    static const int fd = ::memfd_create("disk", MFD_CLOEXEC);
    return fd;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    vmm::fuzz::FuzzInput input{data, size};
    const int fd = memory_file();
    // Emptied each time, so that an input does the same again.
    if (::ftruncate(fd, 0) != 0 || ::ftruncate(fd, disk_size) != 0) {
        std::abort();
    }
    const bool read_only = (input.take<std::uint8_t>() & 1) != 0;
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    vmm::BlockDevice device{std::make_unique<vmm::RawImage>(vmm::HostFile::open(path, read_only)),
                            "disk"};
    vmm::fuzz::drive(device, input);
    if (::lseek(fd, 0, SEEK_END) != disk_size) {
        std::abort(); // no guest changes the size of its disk
    }
    return 0;
}
