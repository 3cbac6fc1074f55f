// SPDX-License-Identifier: BSD-3-Clause
// NetDevice: virtio-net with one pair of queues (VIRTIO 1.2, 5.1).
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "net/mac_address.hpp"
#include "net/net_backend.hpp"
#include "virtio/device.hpp"
#include "virtio/wait_set.hpp"

namespace vmm {

// Queue 0 receives, queue 1 transmits. Frames go straight from the guest's memory to the backend;
// those for the guest are copied once. While one side has no room, nothing is read from the other:
//
//   receive:   waiting for a frame --> frame, no buffers: waiting for a kick --> ...
//   transmit:  waiting for a kick  --> chain, backend full: waiting for the backend --> ...
//
// When the backend's other end has gone the link is down, for good: what the guest sends is lost.
class NetDevice : public VirtioDevice {
public:
    static constexpr unsigned receive_queue = 0;
    static constexpr unsigned transmit_queue = 1;
    // What the guest is told; passt takes frames of this size, which saves both sides most of the
    // work per byte.
    static constexpr std::uint16_t stream_mtu = 65520;

    // `closed` is called once, on the event loop, when the backend's other end has gone. Throws
    // gunyah::Error.
    NetDevice(std::unique_ptr<NetBackend> backend, const MacAddress& mac, std::uint16_t mtu,
              std::function<void()> closed);

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override;
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override;
    [[nodiscard]] std::span<const std::byte> config() const override;
    void negotiated(std::uint64_t features) override;
    [[nodiscard]] int wake_fd() const override { return waiting_.fd(); }
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;
    bool take_config_change() override { return std::exchange(config_changed_, false); }
    void reset() override;

private:
    enum class Room { enough, none, too_small };

    std::expected<bool, QueueError> receive(Virtqueue& queue);
    std::expected<Room, QueueError> gather(Virtqueue& queue, std::size_t size);
    void deliver(Virtqueue& queue, const NetFrame& frame);
    std::expected<std::uint32_t, QueueError> transmit(DescriptorChain& chain);
    void wait_for(std::uint32_t events);
    void look_after_backend();

    std::unique_ptr<NetBackend> backend_;
    std::function<void()> closed_;
    NetConfig config_{};
    bool config_changed_ = false;
    WaitSet waiting_;
    std::uint32_t events_ = 0; // that waiting_ waits for
    bool mergeable_ = false;
    std::vector<DescriptorChain> held_; // receive buffers taken and not given back yet
    std::uint64_t held_size_ = 0;
};

} // namespace vmm
