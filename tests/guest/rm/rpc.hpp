// SPDX-License-Identifier: BSD-3-Clause
// A client of the Resource Manager over this VM's two message queues.
#pragma once

#include "machine/board.hpp"
#include "rm/payload.hpp"

#include <abi/rm_rpc.h>
#include <runtime/fixed_vector.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace test {

/// The node in the device tree; fails the check if there is none.
const ResourceManagerNode& resource_manager_node();

struct RpcReply {
    std::uint32_t error;                // GH_RM_ERROR_*
    std::span<const std::byte> payload; // until the next call
};

struct RpcNotification {
    std::uint32_t id = 0;
    std::size_t size = 0;
    std::array<std::byte, GH_RM_RPC_PAYLOAD_SIZE> content{};

    [[nodiscard]] std::span<const std::byte> bytes() const { return {content.data(), size}; }
};

/// One request at a time, from the main CPU. Every function fails the check on a protocol error.
class RpcClient {
public:
    /// Drops what an earlier check left in the queue, and enables the receive interrupt.
    void begin();

    /// Sends a request in as many messages as it needs and waits for its reply.
    RpcReply call(std::uint32_t id, std::span<const std::byte> payload = {},
                  std::uint64_t ms = 5000);
    /// The same, and the error must be OK.
    PayloadReader must(std::uint32_t id, std::span<const std::byte> payload = {},
                       std::uint64_t ms = 5000);

    /// Takes the oldest notification with this id, waiting for it if need be.
    RpcNotification wait_for_notification(std::uint32_t id, std::uint64_t ms = 5000);
    /// Whether none waits here or in the queue.
    bool no_notification();

    /// Sends raw bytes as one message, waiting while the queue is full.
    void send_message(std::span<const std::byte> message, bool push = true);

    /// Messages of the last reply.
    [[nodiscard]] unsigned last_reply_messages() const { return reply_messages_; }

private:
    void send_request(std::uint32_t id, std::span<const std::byte> payload);
    bool take_message();
    void wait_for_message(std::uint64_t ms);
    void take_reply(std::uint32_t id, std::uint16_t sequence, unsigned fragments,
                    std::span<const std::byte> content);
    void take_continuation(std::uint32_t id, std::uint16_t sequence, unsigned fragments,
                           std::span<const std::byte> content);

    std::uint16_t sequence_ = 0;
    std::uint32_t request_id_ = 0;
    bool waiting_ = false;
    unsigned missing_ = 0;
    bool in_reply_ = false; // continuations belong to our reply, not to an old one
    unsigned fragments_ = 0;
    unsigned reply_messages_ = 0;
    std::uint32_t reply_error_ = 0;
    std::size_t reply_size_ = 0;
    std::array<std::byte, 16384> reply_{};
    rt::FixedVector<RpcNotification, 16> notifications_;
};

RpcClient& rpc();

} // namespace test
