// SPDX-License-Identifier: BSD-3-Clause
// MemoryRegion: reserves an over-sized range and trims it to the wanted alignment.
#include "libgunyah/memory_region.hpp"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace gunyah {
namespace {

constexpr std::size_t page_size = 4096;

void unmap(std::byte* start, std::size_t size) {
    if (size != 0) {
        ::munmap(start, size);
    }
}

} // namespace

MemoryRegion MemoryRegion::anonymous(std::size_t size) {
    const std::string failed = fmt::format("cannot map {} bytes of guest memory", size);
    if (size == 0 || size % page_size != 0 || size > SIZE_MAX - alignment) {
        throw Error{ErrorKind::invalid_input, failed,
                    "the size is no multiple of 4096 or too large", ""};
    }
    const std::size_t reserved = size + alignment;
    void* mapping = ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
        throw Error::from_errno(errno, failed, "", "use a smaller --mem");
    }
    auto* start = static_cast<std::byte*>(mapping);
    const std::size_t misaligned = std::bit_cast<std::uintptr_t>(start) % alignment;
    const std::size_t head = misaligned == 0 ? 0 : alignment - misaligned;
    unmap(start, head);
    unmap(start + head + size, alignment - head);
    // Only a wish: without huge pages the guest runs too, with more translation entries.
    ::madvise(start + head, size, MADV_HUGEPAGE);
    // A forked child must not copy (or keep alive) pages that the guest owns.
    ::madvise(start + head, size, MADV_DONTFORK);
    return MemoryRegion{{start + head, size}};
}

MemoryRegion::MemoryRegion(MemoryRegion&& other) noexcept
    : bytes_{std::exchange(other.bytes_, {})} {}

MemoryRegion& MemoryRegion::operator=(MemoryRegion&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MemoryRegion::~MemoryRegion() {
    unmap(bytes_.data(), bytes_.size());
}

} // namespace gunyah
