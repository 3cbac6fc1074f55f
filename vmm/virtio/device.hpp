// SPDX-License-Identifier: BSD-3-Clause
// VirtioDevice: what a device type adds to the transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>

#include "virtio/queue_error.hpp"
#include "virtio/virtqueue.hpp"

namespace vmm {

// The mask of feature bit `number`.
constexpr std::uint64_t feature(unsigned number) {
    return std::uint64_t{1} << number;
}

// Called by its transport only, one call at a time. Nothing here throws on what a guest does.
class VirtioDevice {
public:
    virtual ~VirtioDevice() = default;

    [[nodiscard]] virtual std::uint32_t device_id() const = 0; // VIRTIO 1.2, 5
    // Device-type feature bits; the transport adds the ring features and VERSION_1.
    [[nodiscard]] virtual std::uint64_t features() const = 0;
    // Largest size of each queue.
    [[nodiscard]] virtual std::span<const std::uint16_t> queue_sizes() const = 0;
    // The device-specific configuration as bytes; reads beyond it give zero, writes are ignored.
    [[nodiscard]] virtual std::span<const std::byte> config() const = 0;

    // Handles available chains of queue `index`. Returns true if it stopped early to let others
    // run: the transport calls again. An error puts the device into DEVICE_NEEDS_RESET.
    virtual std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) = 0;

    // Whether process() has changed config() since this was asked last: the driver is told then.
    virtual bool take_config_change() { return false; }

    // The driver has chosen among features(); before that and after a reset it has none. The ring
    // features are among them.
    virtual void negotiated(std::uint64_t /*features*/) {}

    // Readable while the host has something for process() of any queue; -1: the host never has. The
    // same for the device's whole life.
    [[nodiscard]] virtual int wake_fd() const { return -1; }

    // The driver reset the device or broke it, or took a queue away: forget everything about its
    // queues, and let nothing wake up for them.
    virtual void reset() {}
};

// Handles one chain; returns the bytes written to it, or nothing if the device will give it back
// later.
using ChainHandler =
    std::function<std::expected<std::optional<std::uint32_t>, QueueError>(DescriptorChain&)>;
// Whether the device has something to do with another chain.
using ChainWanted = std::function<bool()>;

// Feeds available chains to `handle` while `wanted` (empty = always), at most one queue length of
// them, so that no guest can keep the caller for ever. Returns true if chains may be left.
std::expected<bool, QueueError> drain(Virtqueue& queue, const ChainHandler& handle,
                                      const ChainWanted& wanted = {});

} // namespace vmm
