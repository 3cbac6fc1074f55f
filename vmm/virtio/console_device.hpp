// SPDX-License-Identifier: BSD-3-Clause
// ConsoleDevice: virtio-console with one port (VIRTIO 1.2, 5.3).
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "devices/character_port.hpp"
#include "virtio/device.hpp"

namespace vmm {

// Queue 0 receives, queue 1 transmits.
class ConsoleDevice : public VirtioDevice, public CharacterPort {
public:
    static constexpr unsigned receive_queue = 0;
    static constexpr unsigned transmit_queue = 1;

    explicit ConsoleDevice(CharacterOutput output);

    // Called after receive() took bytes, without a lock held: make the transport service the
    // receive queue. Set once, before the guest runs.
    void on_input(std::function<void()> callback) { input_ready_ = std::move(callback); }

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override { return 0; }
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override;
    [[nodiscard]] std::span<const std::byte> config() const override { return {}; }
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;

    std::size_t receive(std::span<const std::byte> bytes) override;

private:
    static constexpr std::size_t input_capacity = 4096; // bytes kept while the guest has no buffer

    [[nodiscard]] bool has_input();
    std::expected<std::uint32_t, QueueError> fill(const DescriptorChain& chain);
    std::expected<std::uint32_t, QueueError> print(const DescriptorChain& chain);

    CharacterOutput output_;
    std::function<void()> input_ready_;
    std::mutex mutex_; // guards input_ and refused_
    std::vector<std::byte> input_;
    bool refused_ = false;
};

} // namespace vmm
