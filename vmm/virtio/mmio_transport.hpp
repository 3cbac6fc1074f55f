// SPDX-License-Identifier: BSD-3-Clause
// MmioTransport: the register block of a virtio-mmio device, version 2 (VIRTIO 1.2, 4.2).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "devices/mmio_device.hpp"
#include "virtio/device.hpp"
#include "virtio/guest_memory.hpp"
#include "virtio/virtqueue.hpp"

namespace vmm {

// What the transport tells the VMM. All may be called from any thread, with the transport's lock
// held: they must not call back into it.
struct TransportEvents {
    std::function<void()> interrupt;             // one edge on the device's interrupt
    std::function<void(unsigned)> kick;          // queue kicked by a register write that exited
    std::function<void(std::string_view)> fault; // the guest broke the device; for the log
};

// Registers are accessed by vCPU threads while service() runs on the event loop; one lock guards
// everything but the interrupt status, which must not wait for a disk.
//
// The interrupt is level-triggered in the specification and an edge on our wire: an edge is sent
// when InterruptStatus leaves 0 and again when an acknowledgement leaves some of it set. A driver
// that acknowledges before it looks at the rings, as 4.2.3.4.1 demands, loses none.
class MmioTransport : public MmioDevice {
public:
    static constexpr std::uint64_t register_block_size = 0x200;

    MmioTransport(VirtioDevice& device, const GuestMemory& memory, TransportEvents events);

    std::uint64_t read(std::uint64_t offset, unsigned size) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

    [[nodiscard]] unsigned queue_count() const { return static_cast<unsigned>(queues_.size()); }

    // Chains that the device has given back since it was made. Waits for a service() under way.
    [[nodiscard]] std::uint64_t requests();

    // Lets the device handle queue `index`; true if it wants to be called again soon.
    bool service(unsigned index);

    // Lets `change` alter what the device's config() shows, and tells the driver. `change` must not
    // call back into the transport.
    void change_config(const std::function<void()>& change);

private:
    struct Queue {
        QueueLayout layout;
        std::uint16_t max_size = 0;
        std::optional<Virtqueue> ring; // present while QueueReady is 1
    };

    [[nodiscard]] std::uint32_t read_register(std::uint64_t offset);
    void write_register(std::uint64_t offset, std::uint32_t value);
    [[nodiscard]] std::uint64_t read_config(std::uint64_t offset, unsigned size);
    [[nodiscard]] std::uint64_t offered_features() const;
    [[nodiscard]] RingFeatures ring_features() const;
    Queue* selected_queue();
    Queue* configurable_queue();
    void write_queue_address(std::uint64_t offset, std::uint32_t value);
    void write_driver_features(std::uint32_t value);
    void write_status(std::uint32_t value);
    void set_queue_ready(bool ready);
    void acknowledge(std::uint32_t bits);
    void raise(std::uint32_t bit);
    void config_has_changed();
    void needs_reset(QueueError error);
    void reset();

    VirtioDevice& device_;
    GuestMemory memory_;
    TransportEvents events_;
    std::mutex mutex_;
    std::vector<Queue> queues_;
    std::uint64_t requests_ = 0;
    std::uint64_t driver_features_ = 0;
    std::uint32_t device_features_select_ = 0;
    std::uint32_t driver_features_select_ = 0;
    std::uint32_t queue_select_ = 0;
    std::uint32_t status_ = 0;
    std::uint32_t config_generation_ = 0;
    std::atomic<std::uint32_t> interrupt_status_ = 0;
};

} // namespace vmm
