// SPDX-License-Identifier: BSD-3-Clause
// OutputRing: byte number n stands at n modulo the capacity.
#include "app/output_ring.hpp"

#include <algorithm>

namespace vmm {

void OutputRing::append(std::span<const std::byte> bytes) {
    if (bytes.size() > capacity) {
        end_ += bytes.size() - capacity;
        bytes = bytes.last(capacity);
    }
    const std::size_t at = end_ % capacity;
    const auto front = bytes.first(std::min(bytes.size(), capacity - at));
    std::ranges::copy(front, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    std::ranges::copy(bytes.subspan(front.size()), bytes_.begin());
    end_ += bytes.size();
    kept_ = std::min(capacity, kept_ + bytes.size());
}

std::size_t OutputRing::copy(std::uint64_t from, std::span<std::byte> to) const {
    const std::size_t count = std::min<std::uint64_t>(to.size(), end_ - from);
    const std::size_t at = from % capacity;
    const std::span kept{bytes_};
    const std::size_t front = std::min(count, capacity - at);
    std::ranges::copy(kept.subspan(at, front), to.begin());
    std::ranges::copy(kept.first(count - front), to.begin() + static_cast<std::ptrdiff_t>(front));
    return count;
}

} // namespace vmm
