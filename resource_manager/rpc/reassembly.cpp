// SPDX-License-Identifier: BSD-3-Clause
// Reassembly of fragmented requests: one start, then exactly the announced continuations.
#include "rpc/reassembly.hpp"

#include <cstring>

namespace rm {

std::expected<std::optional<Request>, const char*>
Reassembly::feed(std::span<const std::byte> message) {
    const auto header = MessageHeader::parse(message);
    if (!header) {
        return std::unexpected(header.error());
    }
    const std::span<const std::byte> payload = message.subspan(GH_RM_RPC_HEADER_SIZE);
    switch (header->type) {
    case GH_RM_RPC_REQUEST:
        return start(*header, payload);
    case GH_RM_RPC_CONTINUATION:
        return go_on(*header, payload);
    default:
        return std::unexpected("it is neither a request nor a continuation");
    }
}

std::expected<std::optional<Request>, const char*>
Reassembly::start(const MessageHeader& header, std::span<const std::byte> payload) {
    first_ = header;
    active_ = true;
    missing_ = header.fragments;
    used_ = payload.size();
    std::memcpy(buffer_.data(), payload.data(), payload.size());
    return finish_if_complete();
}

std::expected<std::optional<Request>, const char*>
Reassembly::go_on(const MessageHeader& header, std::span<const std::byte> payload) {
    if (!active_) {
        return std::unexpected("it continues no request");
    }
    const bool same = header.id == first_.id && header.sequence == first_.sequence &&
                      header.fragments == first_.fragments;
    if (!same) {
        active_ = false;
        return std::unexpected("it does not continue the request before it");
    }
    // Cannot overflow: at most 1 + 62 messages of at most 232 bytes each.
    std::memcpy(buffer_.data() + used_, payload.data(), payload.size());
    used_ += payload.size();
    --missing_;
    return finish_if_complete();
}

std::optional<Request> Reassembly::finish_if_complete() {
    if (missing_ != 0) {
        return std::nullopt;
    }
    active_ = false;
    return Request{
        .id = first_.id, .sequence = first_.sequence, .payload = std::span(buffer_).first(used_)};
}

} // namespace rm
