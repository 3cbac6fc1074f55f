// SPDX-License-Identifier: BSD-3-Clause
// Memory of this process in all its kinds, and how much of it is accounted as locked.
#include "memory.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <string>

#include "libgunyah/file_descriptor.hpp"
#include "runner.hpp"

namespace driver {
namespace {

constexpr std::size_t huge_size = 2 * mebibyte;

long number_after(const char* path, const std::string& name) {
    std::ifstream file{path};
    std::string word;
    while (file >> word) {
        if (word == name) {
            long value = 0;
            file >> value;
            return value;
        }
    }
    throw Mismatch{std::string{path} + " has no " + name};
}

} // namespace

Mapping::Mapping(std::size_t size, int protection, int flags, int fd, long offset) {
    void* start = ::mmap(nullptr, size, protection, flags, fd, offset);
    if (start == MAP_FAILED) {
        throw Mismatch{"mmap of " + std::to_string(size) + " bytes: errno " +
                       std::to_string(errno)};
    }
    bytes_ = {static_cast<std::byte*>(start), size};
}

Mapping::~Mapping() {
    if (!bytes_.empty()) {
        ::munmap(bytes_.data(), bytes_.size());
    }
}

Mapping Mapping::anonymous(std::size_t size) {
    return Mapping{size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS};
}

Mapping Mapping::huge(std::size_t size) {
    Mapping reserved = anonymous(size + huge_size);
    const auto start = std::bit_cast<std::uintptr_t>(reserved.bytes_.data());
    const std::size_t head = (huge_size - start % huge_size) % huge_size;
    std::byte* aligned = reserved.bytes_.data() + head;
    if (head != 0) {
        ::munmap(reserved.bytes_.data(), head);
    }
    ::munmap(aligned + size, huge_size - head);
    reserved.bytes_ = {aligned, size};
    ::madvise(aligned, size, MADV_HUGEPAGE);
    return reserved;
}

long locked_kib() {
    return number_after("/proc/self/status", "VmLck:") +
           number_after("/proc/self/status", "VmPin:");
}

long meminfo_kib(const char* name) {
    return number_after("/proc/meminfo", std::string{name} + ":");
}

void KernelMemory::expect_no_growth(long kib, const char* what) const {
    const bool looks_itself = ::access("/sys/kernel/debug/kmemleak", F_OK) == 0;
    expect(looks_itself || meminfo_kib("SUnreclaim") - before_ < kib,
           std::string{"kernel memory grows with every "} + what);
}

std::uint64_t page_map_entry(const std::byte* where) {
    const gunyah::FileDescriptor map{::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)};
    std::uint64_t entry = 0;
    const auto at = static_cast<off_t>(std::bit_cast<std::uintptr_t>(where) / page * sizeof(entry));
    expect_equal(::pread(map.get(), &entry, sizeof(entry), at), sizeof(entry),
                 "/proc/self/pagemap");
    return entry;
}

void limit_locked_memory(std::size_t bytes) {
    const rlimit limit{bytes, bytes};
    expect_equal(::setrlimit(RLIMIT_MEMLOCK, &limit), 0, "setrlimit");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    expect_equal(::syscall(SYS_capget, &header, sets.data()), 0, "capget");
    sets[0].effective &= ~(1U << CAP_IPC_LOCK);
    sets[0].permitted &= ~(1U << CAP_IPC_LOCK);
    expect_equal(::syscall(SYS_capset, &header, sets.data()), 0, "capset");
}

} // namespace driver
