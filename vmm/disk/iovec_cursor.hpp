// SPDX-License-Identifier: BSD-3-Clause
// IovecCursor: walks over the pieces of a transfer in parts of any length.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vmm {

// Bytes of all pieces.
std::uint64_t total_length(std::span<const iovec> pieces);

// The pieces may be guest memory: each byte is read or written once. No function goes beyond the
// last piece's end.
class IovecCursor {
public:
    explicit IovecCursor(std::span<const iovec> pieces) : pieces_{pieces} {}

    // The next `count` bytes as pieces of their own.
    std::vector<iovec> take(std::size_t count);
    void copy_to(std::span<std::byte> bytes);
    void copy_from(std::span<const std::byte> bytes);
    void fill_zero(std::size_t count);

private:
    std::span<const iovec> pieces_;
    std::size_t used_ = 0; // of the first piece
};

} // namespace vmm
