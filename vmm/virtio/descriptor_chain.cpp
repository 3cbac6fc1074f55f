// SPDX-License-Identifier: BSD-3-Clause
// DescriptorChain: copying across pieces; drivers may split a request anywhere (VIRTIO 1.2, 2.7.4).
#include "virtio/descriptor_chain.hpp"

#include <algorithm>
#include <cstring>

namespace vmm {

bool take_front(std::vector<std::span<const std::byte>>& pieces, std::span<std::byte> to) {
    if (total_size(pieces) < to.size()) {
        return false;
    }
    std::size_t used_pieces = 0;
    while (!to.empty()) {
        auto& piece = pieces[used_pieces];
        const std::size_t count = std::min(piece.size(), to.size());
        std::ranges::copy(piece.first(count), to.begin());
        to = to.subspan(count);
        piece = piece.subspan(count);
        if (piece.empty()) {
            ++used_pieces;
        }
    }
    pieces.erase(pieces.begin(), pieces.begin() + static_cast<std::ptrdiff_t>(used_pieces));
    return true;
}

std::byte* take_last_byte(std::vector<std::span<std::byte>>& pieces) {
    while (!pieces.empty() && pieces.back().empty()) {
        pieces.pop_back();
    }
    if (pieces.empty()) {
        return nullptr;
    }
    auto& piece = pieces.back();
    std::byte* last = &piece.back();
    piece = piece.first(piece.size() - 1);
    return last;
}

std::size_t scatter(std::span<const std::byte> from,
                    const std::vector<std::span<std::byte>>& pieces) {
    std::size_t copied = 0;
    for (const auto& piece : pieces) {
        const std::size_t count = std::min(piece.size(), from.size() - copied);
        std::ranges::copy(from.subspan(copied, count), piece.begin());
        copied += count;
    }
    return copied;
}

} // namespace vmm
