// SPDX-License-Identifier: BSD-3-Clause
// Virtqueue: the device's side of a split virtqueue (VIRTIO 1.2, 2.7).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>

#include "virtio/descriptor_chain.hpp"
#include "virtio/guest_memory.hpp"
#include "virtio/queue_error.hpp"

namespace vmm {

// Where the driver put the three parts of a queue (guest physical addresses).
struct QueueLayout {
    std::uint16_t size = 0; // descriptors: a power of two, at most Virtqueue::max_size
    std::uint64_t descriptors = 0;
    std::uint64_t available = 0;
    std::uint64_t used = 0;
};

// What was negotiated for the rings.
struct RingFeatures {
    bool indirect = false;    // VIRTIO_RING_F_INDIRECT_DESC
    bool event_index = false; // VIRTIO_RING_F_EVENT_IDX
};

// A chain that the device gives back, and the bytes it put into its writable part.
struct UsedChain {
    std::uint16_t head;
    std::uint32_t written;
};

// One thread at a time. Trusts nothing that the guest wrote: every index, address and length is
// checked, every field is read once, every loop is bounded by the queue size.
class Virtqueue {
public:
    static constexpr std::uint16_t max_size = 32768;

    static std::expected<Virtqueue, QueueError>
    create(const GuestMemory& memory, const QueueLayout& layout, RingFeatures features);

    [[nodiscard]] std::uint16_t size() const { return size_; }
    // Chains given back so far, modulo 2^16.
    [[nodiscard]] std::uint16_t pushed() const { return next_used_; }

    // The next available chain, or nothing. After an error the queue is unusable.
    std::expected<std::optional<DescriptorChain>, QueueError> pop();
    // Gives chains back. The driver sees all of them at once.
    void push(std::span<const UsedChain> chains);
    void push(std::uint16_t head, std::uint32_t written) {
        const UsedChain chain{head, written};
        push(std::span{&chain, 1});
    }

    // Whether the driver wants an interrupt for what was pushed since the last call.
    bool needs_interrupt();

    // Asks the driver not to kick, respectively to kick again. allow_kicks() returns true if chains
    // became available in between: the caller must look again, no kick will come for them.
    void suppress_kicks();
    bool allow_kicks();

private:
    struct Descriptor;
    struct Table;
    class ChainBuilder;

    Virtqueue(const GuestMemory& memory, std::uint16_t size, RingFeatures features,
              std::span<std::byte> descriptors, std::span<std::byte> available,
              std::span<std::byte> used)
        : memory_{memory}, descriptors_{descriptors}, available_{available}, used_{used},
          size_{size}, features_{features} {}

    [[nodiscard]] std::uint16_t available_index() const;
    std::expected<DescriptorChain, QueueError> read_chain(std::uint16_t head) const;

    GuestMemory memory_;
    std::span<std::byte> descriptors_;
    std::span<std::byte> available_;
    std::span<std::byte> used_;
    std::uint16_t size_;
    RingFeatures features_;
    std::uint16_t next_available_ = 0; // free-running, modulo 2^16 like the ring indices
    std::uint16_t next_used_ = 0;
    std::uint16_t signalled_used_ = 0; // next_used_ at the last needs_interrupt()
};

} // namespace vmm
