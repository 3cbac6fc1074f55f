// SPDX-License-Identifier: BSD-3-Clause
// Receives, answers and sends RPC messages, with back-pressure instead of losses.
#include "rpc/channel.hpp"

#include <algorithm>

namespace rm {

void Answer::notify_after(std::uint32_t id, std::span<const std::byte> content) {
    rt::ensure(notification_count_ < max_notifications && content.size() <= max_notification_size,
               "Answer: too many or too long notifications");
    Notification& notification = notifications_[notification_count_++];
    notification.id = id;
    notification.size = content.size();
    std::copy(content.begin(), content.end(), notification.content.begin());
}

void Answer::reset() {
    payload_.clear();
    notification_count_ = 0;
}

void Channel::flush_waiting() {
    const auto sent = outgoing_.flush(hypervisor_, send_);
    if (!sent) {
        note_failure(sent.error());
    }
}

void Channel::note_failure(rt::Error error) {
    if (!broken_) {
        broken_ = true;
        log("VM {x}: sending to its message queue failed: {}", peer_, error);
    }
}

void Channel::serve(RequestHandler& handler) {
    alignas(8) std::array<std::byte, GH_RM_RPC_MESSAGE_SIZE>
        buffer; // NOLINT: written before it is read
    for (bool more = true; more;) {
        flush();
        if (outgoing_.room() < reserved_for_request) {
            return; // the peer must take messages first; its doing so interrupts us again
        }
        const auto message = hypervisor_.msgqueue_receive(receive_, buffer);
        if (!message) {
            if (message.error() != rt::Error::msgqueue_empty) {
                complain("the message queue cannot be read");
            }
            return;
        }
        take(std::span(buffer).first(message->size), handler);
        more = message->more; // one that comes later interrupts
    }
    flush();
}

void Channel::take(std::span<const std::byte> message, RequestHandler& handler) {
    const auto fed = reassembly_.feed(message);
    if (!fed) {
        complain(fed.error());
        return;
    }
    if (fed->has_value()) {
        answer(**fed, handler);
    }
}

void Channel::answer(const Request& request, RequestHandler& handler) {
    answer_.reset();
    auto result = handler.handle(peer_, request, answer_);
    if (result && !answer_.payload_.ok()) {
        log("VM {x}: the answer to request {x} is too long", peer_, request.id);
        result = std::unexpected(RmError::no_resource);
    }
    Writer error{std::span(answer_.buffer_).subspan(Answer::header_size, Answer::error_size)};
    error.u32(result ? GH_RM_ERROR_OK : static_cast<std::uint32_t>(result.error()));
    reply(request, Answer::error_size + (result ? answer_.payload_.written().size() : 0));
    for (std::size_t i = 0; i < answer_.notification_count_; ++i) {
        const auto& notification = answer_.notifications_[i];
        outgoing_.add(GH_RM_RPC_NOTIFICATION, 0, notification.id,
                      std::span(notification.content).first(notification.size));
    }
}

/// Sends the `size` bytes behind the answer's header. Only what does not fit at once is queued.
void Channel::reply(const Request& request, std::size_t size) {
    const std::span message = std::span(answer_.buffer_).first(Answer::header_size + size);
    if (outgoing_.empty() && size <= GH_RM_RPC_PAYLOAD_SIZE) {
        const MessageHeader header{
            .type = GH_RM_RPC_REPLY, .sequence = request.sequence, .id = request.id};
        header.store(message);
        const auto sent = hypervisor_.msgqueue_send(send_, message, true);
        if (sent) {
            return;
        }
        if (sent.error() != rt::Error::msgqueue_full) {
            note_failure(sent.error());
        }
    }
    outgoing_.add(GH_RM_RPC_REPLY, request.sequence, request.id,
                  message.subspan(Answer::header_size));
}

void Channel::notify(std::uint32_t id, std::span<const std::byte> content) {
    rt::ensure(can_notify(), "Channel: notify() without room");
    outgoing_.add(GH_RM_RPC_NOTIFICATION, 0, id, content);
    flush();
}

/// A peer must not be able to fill the console.
void Channel::complain(const char* why) {
    if (complaints_ == max_complaints) {
        return;
    }
    ++complaints_;
    log("VM {x}: an RPC message was dropped: {}{}", peer_, why,
        complaints_ == max_complaints ? "; further ones are dropped silently" : "");
}

} // namespace rm
