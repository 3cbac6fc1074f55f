// SPDX-License-Identifier: BSD-3-Clause
// Fragmentation of outgoing messages, and sending as far as the message queue takes them.
#include "rpc/outgoing_queue.hpp"

#include <runtime/panic.hpp>

#include <algorithm>
#include <cstring>

namespace rm {

void OutgoingQueue::add(std::uint8_t type, std::uint16_t sequence, std::uint32_t id,
                        std::span<const std::byte> content) {
    rt::ensure(content.size() <= max_content, "OutgoingQueue: content too long");
    const std::size_t fragments = content.size() <= GH_RM_RPC_PAYLOAD_SIZE
                                      ? 0
                                      : (content.size() - 1) / GH_RM_RPC_PAYLOAD_SIZE;
    rt::ensure(room() > fragments, "OutgoingQueue: no room was reserved");
    MessageHeader header{.type = type,
                         .fragments = static_cast<std::uint8_t>(fragments),
                         .sequence = sequence,
                         .id = id};
    for (std::size_t i = 0; i <= fragments; ++i) {
        const std::size_t size = std::min<std::size_t>(content.size(), GH_RM_RPC_PAYLOAD_SIZE);
        Message& message = ring_[wrapped(first_ + count_++)];
        message.size = static_cast<std::uint8_t>(GH_RM_RPC_HEADER_SIZE + size);
        message.push = i == fragments;
        header.store(message.bytes);
        std::memcpy(message.bytes.data() + GH_RM_RPC_HEADER_SIZE, content.data(), size);
        content = content.subspan(size);
        header.type = GH_RM_RPC_CONTINUATION;
    }
}

rt::Result<> OutgoingQueue::flush(Hypervisor& hypervisor, CapId queue) {
    while (count_ != 0) {
        const Message& message = ring_[first_];
        const auto sent = hypervisor.msgqueue_send(
            queue, std::span(message.bytes).first(message.size), message.push);
        if (!sent) {
            const bool full = sent.error() == rt::Error::msgqueue_full;
            return full ? rt::Result<>{} : rt::fail(sent.error());
        }
        first_ = wrapped(first_ + 1);
        --count_;
    }
    return {};
}

} // namespace rm
