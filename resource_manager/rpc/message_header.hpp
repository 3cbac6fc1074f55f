// SPDX-License-Identifier: BSD-3-Clause
// The 8 bytes in front of every RPC message (ABI: header of the RM RPC protocol).
#pragma once

#include <abi/rm_rpc.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

namespace rm {

struct MessageHeader {
    std::uint8_t type = 0;      // GH_RM_RPC_CONTINUATION, _REQUEST, _REPLY, _NOTIFICATION
    std::uint8_t fragments = 0; // continuation messages of the whole, 0..GH_RM_RPC_MAX_FRAGMENTS
    std::uint16_t sequence = 0;
    std::uint32_t id = 0;

    /// The header of a message, or what is wrong with it (a static string).
    static std::expected<MessageHeader, const char*> parse(std::span<const std::byte> message);
    /// Writes GH_RM_RPC_HEADER_SIZE bytes. Precondition: `to` has room.
    void store(std::span<std::byte> to) const;
};

} // namespace rm
