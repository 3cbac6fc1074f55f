// SPDX-License-Identifier: BSD-3-Clause
// ConsolePort: the two byte streams of one port of a virtio console.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <vector>

#include "devices/character_port.hpp"
#include "virtio/descriptor_chain.hpp"
#include "virtio/queue_error.hpp"

namespace vmm {

// Where a port's output goes.
struct ConsoleSink {
    CharacterOutput write;
    // Whether write() takes longest_print bytes without waiting. Empty: it always does.
    std::function<bool()> has_room;
};

// receive() may be called from any thread, the rest by the device alone.
class ConsolePort : public CharacterPort {
public:
    // A descriptor may name all of guest RAM; nobody prints more than this in one go.
    static constexpr std::size_t longest_print = std::size_t{1} << 16;

    explicit ConsolePort(ConsoleSink sink) : sink_{std::move(sink)} {}

    // Called after receive() took bytes, without a lock held. Set once, before the guest runs.
    void on_input(std::function<void()> callback) { input_ready_ = std::move(callback); }

    std::size_t receive(std::span<const std::byte> bytes) override;

    [[nodiscard]] bool has_input();
    [[nodiscard]] std::expected<std::uint32_t, QueueError> fill(const DescriptorChain& chain);
    [[nodiscard]] bool can_print() const { return !sink_.has_room || sink_.has_room(); }
    [[nodiscard]] std::expected<std::uint32_t, QueueError>
    print(const DescriptorChain& chain) const;

private:
    static constexpr std::size_t input_capacity = 4096; // bytes kept while the guest has no buffer

    ConsoleSink sink_;
    std::function<void()> input_ready_;
    std::mutex mutex_; // guards input_ and refused_
    std::vector<std::byte> input_;
    bool refused_ = false;
};

} // namespace vmm
