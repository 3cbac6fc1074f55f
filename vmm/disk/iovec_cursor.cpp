// SPDX-License-Identifier: BSD-3-Clause
// IovecCursor: one walk, three uses.
#include "disk/iovec_cursor.hpp"

#include <algorithm>
#include <cstring>

namespace vmm {

std::uint64_t total_length(std::span<const iovec> pieces) {
    std::uint64_t length = 0;
    for (const iovec& piece : pieces) {
        length += piece.iov_len;
    }
    return length;
}

std::vector<iovec> IovecCursor::take(std::size_t count) {
    std::vector<iovec> parts;
    while (count != 0 && !pieces_.empty()) {
        const iovec& piece = pieces_.front();
        const std::size_t length = std::min(count, piece.iov_len - used_);
        if (length != 0) {
            parts.push_back({static_cast<std::byte*>(piece.iov_base) + used_, length});
        }
        used_ += length;
        count -= length;
        if (used_ == piece.iov_len) {
            pieces_ = pieces_.subspan(1);
            used_ = 0;
        }
    }
    return parts;
}

void IovecCursor::copy_to(std::span<std::byte> bytes) {
    for (const iovec& part : take(bytes.size())) {
        std::memcpy(bytes.data(), part.iov_base, part.iov_len);
        bytes = bytes.subspan(part.iov_len);
    }
}

void IovecCursor::copy_from(std::span<const std::byte> bytes) {
    for (const iovec& part : take(bytes.size())) {
        std::memcpy(part.iov_base, bytes.data(), part.iov_len);
        bytes = bytes.subspan(part.iov_len);
    }
}

void IovecCursor::fill_zero(std::size_t count) {
    for (const iovec& part : take(count)) {
        std::memset(part.iov_base, 0, part.iov_len);
    }
}

} // namespace vmm
