// SPDX-License-Identifier: BSD-3-Clause
// Checks and layout of the RPC header.
#include "rpc/message_header.hpp"

#include <bit>

namespace rm {

namespace {

static_assert(std::endian::native == std::endian::little); // as messages are

/// The header as it lies in a message.
struct Layout {
    std::uint8_t api;
    std::uint8_t type_and_fragments;
    std::uint16_t sequence;
    std::uint32_t id;
};
static_assert(sizeof(Layout) == GH_RM_RPC_HEADER_SIZE);

} // namespace

std::expected<MessageHeader, const char*> MessageHeader::parse(std::span<const std::byte> message) {
    if (message.size() < GH_RM_RPC_HEADER_SIZE) {
        return std::unexpected("it is shorter than a header");
    }
    if (message.size() > GH_RM_RPC_MESSAGE_SIZE) {
        return std::unexpected("it is longer than 240 bytes");
    }
    Layout layout{};
    __builtin_memcpy(&layout, message.data(), sizeof(layout));
    if (layout.api != GH_RM_RPC_API) {
        return std::unexpected("its API version is not 0x21");
    }
    const MessageHeader header{
        .type = static_cast<std::uint8_t>(layout.type_and_fragments & GH_RM_RPC_TYPE_MASK),
        .fragments =
            static_cast<std::uint8_t>(layout.type_and_fragments >> GH_RM_RPC_FRAGMENTS_SHIFT),
        .sequence = layout.sequence,
        .id = layout.id};
    if (header.fragments > GH_RM_RPC_MAX_FRAGMENTS) {
        return std::unexpected("it announces more than 62 continuations");
    }
    return header;
}

void MessageHeader::store(std::span<std::byte> to) const {
    const Layout layout{.api = GH_RM_RPC_API,
                        .type_and_fragments = static_cast<std::uint8_t>(
                            type | (fragments << GH_RM_RPC_FRAGMENTS_SHIFT)),
                        .sequence = sequence,
                        .id = id};
    __builtin_memcpy(to.data(), &layout, sizeof(layout));
}

} // namespace rm
