// SPDX-License-Identifier: BSD-3-Clause
// MemoryRegion: anonymous host memory that becomes a guest's RAM.
#pragma once

#include <cstddef>
#include <span>

namespace gunyah {

// Owns one private anonymous mapping whose start is 2 MiB aligned, so that stage 2 can use blocks.
// Pages are not touched until the caller (or the driver, which pins them all) does.
// Must outlive every Vm it was given to: the guest keeps using the pages.
class MemoryRegion {
public:
    static constexpr std::size_t alignment = std::size_t{2} << 20;

    // `size` in bytes, a non-zero multiple of 4096. Throws Error.
    static MemoryRegion anonymous(std::size_t size);

    MemoryRegion(MemoryRegion&& other) noexcept;
    MemoryRegion& operator=(MemoryRegion&& other) noexcept;
    ~MemoryRegion();

    [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

private:
    explicit MemoryRegion(std::span<std::byte> bytes) : bytes_{bytes} {}

    std::span<std::byte> bytes_;
};

} // namespace gunyah
