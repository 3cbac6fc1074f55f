// SPDX-License-Identifier: BSD-3-Clause
// DescriptorChain: the buffers of one request, as pieces of guest memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vmm {

// The device reads `readable` first, then writes `writable` (VIRTIO 1.2, 2.7.4.2). Every piece lies
// in guest RAM. The guest may change the bytes at any time: copy before checking.
struct DescriptorChain {
    std::uint16_t head = 0;
    std::vector<std::span<const std::byte>> readable;
    std::vector<std::span<std::byte>> writable;
};

// Total bytes of all pieces.
template <typename Pieces>
std::uint64_t total_size(const Pieces& pieces) {
    std::uint64_t total = 0;
    for (const auto& piece : pieces) {
        total += piece.size();
    }
    return total;
}

// Copies the first `to.size()` bytes of `pieces` and removes them; false (and nothing removed) if
// there are fewer.
bool take_front(std::vector<std::span<const std::byte>>& pieces, std::span<std::byte> to);

// Removes the last byte of `pieces` and gives back where it is; nullptr if there is none.
std::byte* take_last_byte(std::vector<std::span<std::byte>>& pieces);

// Copies as much of `from` as fits into `pieces`; returns the bytes copied.
std::size_t scatter(std::span<const std::byte> from,
                    const std::vector<std::span<std::byte>>& pieces);

} // namespace vmm
