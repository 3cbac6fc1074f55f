// SPDX-License-Identifier: BSD-3-Clause
// VsockDevice: virtio-vsock (VIRTIO 1.2, 5.10).
#pragma once

#include <memory>

#include "libgunyah/event_fd.hpp"
#include "virtio/device.hpp"
#include "virtio/wait_set.hpp"
#include "vsock/host.hpp"

namespace vmm {

// Queue 0 receives, 1 transmits, 2 is for events that we never have. While the guest has no buffers
// nothing is read from the host's programs; when too many answers wait for buffers, the guest's
// packets wait too (5.10.6.1.2 allows it).
class VsockDevice : public VirtioDevice {
public:
    static constexpr unsigned receive_queue = 0;
    static constexpr unsigned transmit_queue = 1;
    static constexpr unsigned event_queue = 2;

    explicit VsockDevice(std::unique_ptr<VsockHost> host); // Throws gunyah::Error.

    [[nodiscard]] std::uint32_t device_id() const override;
    [[nodiscard]] std::uint64_t features() const override { return 0; }
    [[nodiscard]] std::span<const std::uint16_t> queue_sizes() const override;
    [[nodiscard]] std::span<const std::byte> config() const override;
    [[nodiscard]] int wake_fd() const override { return waiting_.fd(); }
    std::expected<bool, QueueError> process(unsigned index, Virtqueue& queue) override;
    void reset() override;

private:
    std::expected<std::uint32_t, QueueError> fill(const DescriptorChain& chain);
    std::expected<std::uint32_t, QueueError> transmit(DescriptorChain& chain);
    void listen_to_host(bool wanted);

    std::unique_ptr<VsockHost> host_;
    std::uint64_t config_;
    gunyah::EventFd again_; // one queue has work because of the other
    WaitSet waiting_;       // again_, and the host while it is listened to
    bool listens_ = false;
    bool transmit_stopped_ = false;
};

} // namespace vmm
