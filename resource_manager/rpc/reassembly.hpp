// SPDX-License-Identifier: BSD-3-Clause
// Puts the fragments of one peer's requests together. Everything from the peer is hostile.
#pragma once

#include "rpc/message_header.hpp"

#include <array>
#include <optional>

namespace rm {

/// Longest payload of a request: the first message and 62 continuations.
inline constexpr std::size_t max_request_payload =
    std::size_t{GH_RM_RPC_PAYLOAD_SIZE} * (GH_RM_RPC_MAX_FRAGMENTS + 1);

struct Request {
    std::uint32_t id;
    std::uint16_t sequence;
    std::span<const std::byte> payload;
};

/// One per peer. Holds at most one incomplete request; a new request replaces it.
class Reassembly {
public:
    /// Takes one message. Gives a request when it is complete, nothing when more is to come, or a
    /// static string that says why the message was dropped (with what was collected, if it
    /// belonged to that). The payload is valid until the next call.
    std::expected<std::optional<Request>, const char*> feed(std::span<const std::byte> message);

private:
    std::expected<std::optional<Request>, const char*> start(const MessageHeader& header,
                                                             std::span<const std::byte> payload);
    std::expected<std::optional<Request>, const char*> go_on(const MessageHeader& header,
                                                             std::span<const std::byte> payload);
    std::optional<Request> finish_if_complete();

    MessageHeader first_;
    bool active_ = false;
    unsigned missing_ = 0; // continuations still to come; meaningful while active_
    std::size_t used_ = 0; // invariant: used_ <= buffer_.size()
    alignas(8) std::array<std::byte, max_request_payload> buffer_{};
};

} // namespace rm
