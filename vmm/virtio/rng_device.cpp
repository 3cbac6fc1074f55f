// SPDX-License-Identifier: BSD-3-Clause
// RngDevice: one request is one bounded helping of random bytes.
#include "virtio/rng_device.hpp"

#include <linux/virtio_ids.h>
#include <sys/random.h>

#include <algorithm>
#include <array>

namespace vmm {
namespace {

constexpr std::array<std::uint16_t, 1> sizes{64};

} // namespace

bool system_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        // Up to 256 bytes never come short (getrandom(2)).
        const std::size_t count = std::min<std::size_t>(bytes.size(), 256);
        if (::getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) {
            return false;
        }
        bytes = bytes.subspan(count);
    }
    return true;
}

std::uint32_t RngDevice::device_id() const {
    return VIRTIO_ID_RNG;
}

std::span<const std::uint16_t> RngDevice::queue_sizes() const {
    return sizes;
}

std::expected<bool, QueueError> RngDevice::process(unsigned /*index*/, Virtqueue& queue) {
    return drain(queue, [this](DescriptorChain& chain) { return fill(chain); });
}

// 5.4.6: the driver puts writable buffers only; the device writes at least one byte.
std::expected<std::uint32_t, QueueError> RngDevice::fill(const DescriptorChain& chain) const {
    std::array<std::byte, most_at_once> random;
    const auto wanted =
        std::span{random}.first(std::min<std::uint64_t>(total_size(chain.writable), random.size()));
    if (wanted.empty() || !chain.readable.empty()) {
        return std::unexpected{QueueError::bad_request};
    }
    if (!source_(wanted)) {
        return 0; // no randomness is better than a pattern
    }
    return static_cast<std::uint32_t>(scatter(wanted, chain.writable));
}

} // namespace vmm
