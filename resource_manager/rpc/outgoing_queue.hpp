// SPDX-License-Identifier: BSD-3-Clause
// Messages on their way to a peer whose message queue may be full. Nothing put here is dropped.
#pragma once

#include "calls/hypervisor.hpp"
#include "rpc/message_header.hpp"

#include <array>

namespace rm {

/// A ring of messages. Whoever wants to add checks room() first; what keeps it from overflowing is
/// that no request is taken and no event is handled while its answer might not fit.
class OutgoingQueue {
public:
    /// Messages. Two of the longest replies and 66 notifications.
    static constexpr std::size_t capacity = 192;
    /// Longest content of one reply (with its error code) or notification.
    static constexpr std::size_t max_content =
        std::size_t{GH_RM_RPC_PAYLOAD_SIZE} * (GH_RM_RPC_MAX_FRAGMENTS + 1);
    static constexpr std::size_t max_messages = GH_RM_RPC_MAX_FRAGMENTS + 1;

    [[nodiscard]] std::size_t room() const { return capacity - count_; }
    [[nodiscard]] bool empty() const { return count_ == 0; }

    /// Cuts `content` into messages of `type` and queues them. Only the last one is pushed.
    /// Preconditions (panic): content.size() <= max_content, and room() for its messages.
    void add(std::uint8_t type, std::uint16_t sequence, std::uint32_t id,
             std::span<const std::byte> content);

    /// Sends until the queue is empty or `queue` is full. Gives the error that stopped it, if it
    /// was another than "full"; the message then stays at the front.
    rt::Result<> flush(Hypervisor& hypervisor, CapId queue);

private:
    struct Message {
        alignas(8) std::array<std::byte, GH_RM_RPC_MESSAGE_SIZE> bytes; // copied by words
        std::uint8_t size;
        bool push;
    };

    /// A place in the ring, less than two rounds on.
    static std::size_t wrapped(std::size_t place) {
        return place < capacity ? place : place - capacity;
    }

    std::array<Message, capacity> ring_{};
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

} // namespace rm
