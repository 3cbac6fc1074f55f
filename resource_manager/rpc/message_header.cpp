// SPDX-License-Identifier: BSD-3-Clause
// Checks and layout of the RPC header.
#include "rpc/message_header.hpp"

#include "rpc/wire.hpp"

namespace rm {

std::expected<MessageHeader, const char*> MessageHeader::parse(std::span<const std::byte> message) {
    if (message.size() < GH_RM_RPC_HEADER_SIZE) {
        return std::unexpected("it is shorter than a header");
    }
    if (message.size() > GH_RM_RPC_MESSAGE_SIZE) {
        return std::unexpected("it is longer than 240 bytes");
    }
    Reader reader(message.first(GH_RM_RPC_HEADER_SIZE));
    if (reader.u8() != GH_RM_RPC_API) {
        return std::unexpected("its API version is not 0x21");
    }
    const std::uint8_t type_and_fragments = reader.u8();
    MessageHeader header;
    header.type = type_and_fragments & GH_RM_RPC_TYPE_MASK;
    header.fragments = static_cast<std::uint8_t>(type_and_fragments >> GH_RM_RPC_FRAGMENTS_SHIFT);
    header.sequence = reader.u16();
    header.id = reader.u32();
    if (header.fragments > GH_RM_RPC_MAX_FRAGMENTS) {
        return std::unexpected("it announces more than 62 continuations");
    }
    return header;
}

void MessageHeader::store(std::span<std::byte> to) const {
    Writer writer(to);
    writer.u8(GH_RM_RPC_API);
    writer.u8(static_cast<std::uint8_t>(type | (fragments << GH_RM_RPC_FRAGMENTS_SHIFT)));
    writer.u16(sequence);
    writer.u32(id);
}

} // namespace rm
