// SPDX-License-Identifier: BSD-3-Clause
// Fragments requests, assembles replies, keeps notifications.
#include "rm/rpc.hpp"

#include "calls/hypercall.hpp"
#include "check/check.hpp"
#include "machine/clock.hpp"
#include "machine/interrupts.hpp"

#include <algorithm>

namespace test {

namespace {

constinit RpcClient the_client;

std::uint64_t address_of(const void* pointer) {
    return reinterpret_cast<std::uint64_t>(pointer);
}

void write_header(std::span<std::byte> message, unsigned type, unsigned fragments,
                  std::uint16_t sequence, std::uint32_t id) {
    PayloadWriter header;
    header.u8(GH_RM_RPC_API)
        .u8(static_cast<std::uint8_t>(type | fragments << GH_RM_RPC_FRAGMENTS_SHIFT))
        .u16(sequence)
        .u32(id);
    std::copy(header.bytes().begin(), header.bytes().end(), message.begin());
}

} // namespace

const ResourceManagerNode& resource_manager_node() {
    if (!board().resource_manager) {
        fail("no node is compatible with gunyah-resource-manager");
    }
    return *board().resource_manager;
}

RpcClient& rpc() {
    return the_client;
}

void RpcClient::begin() {
    waiting_ = false;
    in_reply_ = false;
    missing_ = 0;
    notifications_.clear();
    allow_interrupt(resource_manager_node().receive_irq);
    while (take_message()) {
    }
    notifications_.clear();
}

void RpcClient::send_message(std::span<const std::byte> message, bool push) {
    HypercallResult result{};
    const bool sent = wait_until(3000, [&] {
        if (result.error == GH_ERROR_MSGQUEUE_FULL) {
            (void)take_message(); // it may wait for us to take its replies
        }
        result = hypercall(GH_MSGQUEUE_SEND, resource_manager_node().send_cap, message.size(),
                           address_of(message.data()), push ? GH_MSGQUEUE_SEND_PUSH : 0);
        return result.error != GH_ERROR_MSGQUEUE_FULL;
    });
    if (!sent || result.error != GH_ERROR_OK) {
        fail("sending a message of {} bytes to the Resource Manager gave error {}", message.size(),
             result.error);
    }
}

void RpcClient::send_request(std::uint32_t id, std::span<const std::byte> payload) {
    const std::size_t fragments =
        payload.empty() ? 0 : (payload.size() - 1) / GH_RM_RPC_PAYLOAD_SIZE;
    for (std::size_t n = 0; n <= fragments; ++n) {
        std::array<std::byte, GH_RM_RPC_MESSAGE_SIZE> message{};
        const std::size_t size = std::min<std::size_t>(payload.size(), GH_RM_RPC_PAYLOAD_SIZE);
        write_header(message, n == 0 ? GH_RM_RPC_REQUEST : GH_RM_RPC_CONTINUATION,
                     static_cast<unsigned>(fragments), sequence_, id);
        std::copy_n(payload.begin(), size, message.begin() + GH_RM_RPC_HEADER_SIZE);
        send_message(std::span(message).first(GH_RM_RPC_HEADER_SIZE + size), n == fragments);
        payload = payload.subspan(size);
    }
}

bool RpcClient::take_message() {
    std::array<std::byte, GH_RM_RPC_MESSAGE_SIZE> message{};
    const HypercallResult result =
        hypercall(GH_MSGQUEUE_RECEIVE, resource_manager_node().receive_cap,
                  address_of(message.data()), message.size());
    if (result.error == GH_ERROR_MSGQUEUE_EMPTY) {
        return false;
    }
    expect_equal("msgqueue_receive from the Resource Manager",
                 static_cast<std::uint64_t>(result.error), GH_ERROR_OK);
    expect(result.x1 >= GH_RM_RPC_HEADER_SIZE && result.x1 <= message.size(),
           "an RPC message has 8 to 240 bytes");
    PayloadReader header(message);
    expect_equal("API byte of an RPC message", header.u8(), GH_RM_RPC_API);
    const std::uint8_t type = header.u8();
    const std::uint16_t sequence = header.u16();
    const std::uint32_t id = header.u32();
    const unsigned fragments = type >> GH_RM_RPC_FRAGMENTS_SHIFT;
    const auto content =
        std::span<const std::byte>(message).first(result.x1).subspan(GH_RM_RPC_HEADER_SIZE);
    switch (type & GH_RM_RPC_TYPE_MASK) {
    case GH_RM_RPC_REPLY:
        take_reply(id, sequence, fragments, content);
        break;
    case GH_RM_RPC_CONTINUATION:
        take_continuation(id, sequence, fragments, content);
        break;
    case GH_RM_RPC_NOTIFICATION: {
        expect_equal("fragments of a notification", fragments, 0);
        RpcNotification notification{id, content.size(), {}};
        std::copy(content.begin(), content.end(), notification.content.begin());
        expect(notifications_.push_back(notification), "not too many notifications at once");
        break;
    }
    default:
        fail("the Resource Manager sent a request ({x})", id);
    }
    return true;
}

void RpcClient::take_reply(std::uint32_t id, std::uint16_t sequence, unsigned fragments,
                           std::span<const std::byte> content) {
    expect_equal("continuations missing when the next reply came", missing_, 0);
    expect(content.size() >= sizeof(std::uint32_t), "a reply has an error code");
    missing_ = fragments;
    fragments_ = fragments;
    in_reply_ = waiting_ && sequence == sequence_;
    if (!in_reply_) {
        return; // of a request of an abandoned check
    }
    expect_equal("message id of a reply", id, request_id_);
    reply_messages_ = 1;
    reply_error_ = PayloadReader(content).u32();
    const auto payload = content.subspan(sizeof(std::uint32_t));
    std::copy(payload.begin(), payload.end(), reply_.begin());
    reply_size_ = payload.size();
}

void RpcClient::take_continuation(std::uint32_t id, std::uint16_t sequence, unsigned fragments,
                                  std::span<const std::byte> content) {
    expect(missing_ > 0, "a continuation follows a reply");
    --missing_;
    expect_equal("number of fragments in a continuation", fragments, fragments_);
    if (!in_reply_) {
        return;
    }
    expect_equal("message id of a continuation", id, request_id_);
    expect_equal("sequence of a continuation", sequence, sequence_);
    expect(reply_size_ + content.size() <= reply_.size(), "a reply is not too long");
    std::copy(content.begin(), content.end(),
              reply_.begin() + static_cast<std::ptrdiff_t>(reply_size_));
    reply_size_ += content.size();
    ++reply_messages_;
}

void RpcClient::wait_for_message(std::uint64_t ms) {
    const std::uint32_t irq = resource_manager_node().receive_irq;
    const Deadline deadline = Deadline::after_ms(ms);
    for (;;) {
        const std::uint32_t seen = interrupt_count(irq);
        if (take_message()) {
            return;
        }
        if (!wait_for_count(irq, seen, ms) || deadline.passed()) {
            const bool silent = take_message();
            fail("{} (request {x}, {} ms)",
                 silent ? "a message came without its interrupt"
                        : "nothing came from the Resource Manager",
                 request_id_, ms);
        }
    }
}

RpcReply RpcClient::call(std::uint32_t id, std::span<const std::byte> payload, std::uint64_t ms) {
    ++sequence_;
    request_id_ = id;
    waiting_ = true;
    reply_messages_ = 0;
    send_request(id, payload);
    while (reply_messages_ == 0 || missing_ != 0) {
        wait_for_message(ms);
    }
    waiting_ = false;
    return {reply_error_, std::span<const std::byte>(reply_).first(reply_size_)};
}

PayloadReader RpcClient::must(std::uint32_t id, std::span<const std::byte> payload,
                              std::uint64_t ms) {
    const RpcReply reply = call(id, payload, ms);
    if (reply.error != GH_RM_ERROR_OK) {
        fail("the Resource Manager answered {x} with error {x}", id, reply.error);
    }
    return PayloadReader(reply.payload);
}

RpcNotification RpcClient::wait_for_notification(std::uint32_t id, std::uint64_t ms) {
    const Deadline deadline = Deadline::after_ms(ms);
    for (;;) {
        for (std::size_t i = 0; i < notifications_.size(); ++i) {
            if (notifications_[i].id == id) {
                const RpcNotification found = notifications_[i];
                notifications_.erase(i);
                return found;
            }
        }
        if (deadline.passed()) {
            fail("notification {x} did not come within {} ms", id, ms);
        }
        request_id_ = id;
        wait_for_message(ms);
    }
}

bool RpcClient::no_notification() {
    while (take_message()) {
    }
    return notifications_.empty();
}

} // namespace test
