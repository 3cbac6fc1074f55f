// SPDX-License-Identifier: BSD-3-Clause
// RngDevice: virtio entropy device (VIRTIO 1.2, 5.4).
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "virtio/device.hpp"

namespace vmm {

// Fills its argument with random bytes; false if there are none.
using RandomSource = std::function<bool(std::span<std::byte>)>;

// The kernel's random numbers (getrandom(2)).
bool system_random(std::span<std::byte> bytes);

class RngDevice : public VirtioDevice {
public:
    // Most bytes for one request: a buffer may be all of guest RAM, and the source takes time.
    static constexpr std::size_t most_at_once = 4096;

    explicit RngDevice(RandomSource source) : source_{std::move(source)} {}

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override { return 0; }
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override;
    [[nodiscard]] std::span<const std::byte> config() const override { return {}; }
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;

private:
    [[nodiscard]] std::expected<std::uint32_t, QueueError> fill(const DescriptorChain& chain) const;

    RandomSource source_;
};

} // namespace vmm
