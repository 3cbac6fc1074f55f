// SPDX-License-Identifier: BSD-3-Clause
// Memory of this process in all its kinds, and how much of it is accounted as locked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace driver {

constexpr std::size_t page = 4096;
constexpr std::size_t mebibyte = std::size_t{1} << 20;

// An mmap() that is undone. Move-only.
class Mapping {
public:
    // Throws Mismatch when it cannot be mapped.
    Mapping(std::size_t size, int protection, int flags, int fd = -1, long offset = 0);
    Mapping(Mapping&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
    Mapping& operator=(Mapping&&) = delete;
    ~Mapping();

    static Mapping anonymous(std::size_t size);
    // Aligned to, and asking for, huge pages of 2 MiB.
    static Mapping huge(std::size_t size);

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

private:
    std::span<std::byte> bytes_;
};

// VmLck and VmPin of this process, KiB.
long locked_kib();
// A line of /proc/meminfo, KiB.
long meminfo_kib(const char* name);

// What the kernel has in use by kmalloc(), compared with what it was when the object was made.
class KernelMemory {
public:
    // Throws Mismatch when it is `kib` more or worse. A debug kernel keeps freed memory for a
    // while, but looks for leaks itself: then nothing is compared.
    void expect_no_growth(long kib, const char* what) const;

private:
    long before_ = meminfo_kib("SUnreclaim");
};

// What /proc/self/pagemap says about the page at an address.
std::uint64_t page_map_entry(const std::byte* where);
constexpr std::uint64_t page_map_frame = (std::uint64_t{1} << 55) - 1;
constexpr std::uint64_t page_map_of_file = std::uint64_t{1} << 61; // or of shared memory

// From here on this process may lock `bytes` only, like any user without CAP_IPC_LOCK.
void limit_locked_memory(std::size_t bytes);

} // namespace driver
