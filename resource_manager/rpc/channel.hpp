// SPDX-License-Identifier: BSD-3-Clause
// RM's end of the two message queues that connect it with one VM.
#pragma once

#include "log/refusal.hpp"
#include "rpc/outgoing_queue.hpp"
#include "rpc/reassembly.hpp"
#include "rpc/wire.hpp"

namespace rm {

/// What a handler fills: the reply's payload, and notifications to send behind the reply.
class Answer {
public:
    /// The error code in front of the payload is part of the reply's content.
    static constexpr std::size_t max_payload = OutgoingQueue::max_content - sizeof(std::uint32_t);
    static constexpr std::size_t max_notifications = 2;
    static constexpr std::size_t max_notification_size = 24;

    Writer& payload() { return payload_; }
    /// Precondition (panic): at most max_notifications per request.
    void notify_after(std::uint32_t id, std::span<const std::byte> content);

private:
    friend class Channel;
    struct Notification {
        std::uint32_t id = 0;
        std::size_t size = 0;
        std::array<std::byte, max_notification_size> content{};
    };

    void reset();

    static constexpr std::size_t header_size = GH_RM_RPC_HEADER_SIZE;
    static constexpr std::size_t error_size = sizeof(std::uint32_t);

    // Room for a header, so that a short reply is sent from here; the error code; the payload.
    alignas(8) std::array<std::byte, header_size + OutgoingQueue::max_content> buffer_{};
    Writer payload_{std::span(buffer_).subspan(header_size + error_size)};
    std::array<Notification, max_notifications> notifications_{};
    std::size_t notification_count_ = 0;
};

class RequestHandler {
public:
    /// Serves one request of the VM `from`. The error, if any, is what the reply carries; the
    /// payload is then not sent, notifications are.
    virtual RmResult<> handle(std::uint32_t from, const Request& request, Answer& answer) = 0;

protected:
    ~RequestHandler() = default;
};

/// Large (about 75 KiB): lives on the heap, one per VM that talks to RM.
class Channel {
public:
    /// `send` and `receive` are RM's capabilities of the queues, `peer` the VMID at the other end.
    Channel(Hypervisor& hypervisor, CapId send, CapId receive, std::uint32_t peer)
        : hypervisor_(hypervisor), send_(send), receive_(receive), peer_(peer) {}

    /// Sends what waits, then takes requests and answers them until none is there or answers
    /// might not fit. Call after either queue's interrupt; calling too often is harmless.
    void serve(RequestHandler& handler);

    /// True when a notification can be queued without losing anything.
    [[nodiscard]] bool can_notify() const { return outgoing_.room() > reserved_for_request; }
    /// Precondition (panic): can_notify().
    void notify(std::uint32_t id, std::span<const std::byte> content);

    [[nodiscard]] std::uint32_t peer() const { return peer_; }

private:
    // Room that a request's reply and its notifications may need.
    static constexpr std::size_t reserved_for_request =
        OutgoingQueue::max_messages + Answer::max_notifications;
    static constexpr unsigned max_complaints = 32;

    void flush() {
        if (!outgoing_.empty()) {
            flush_waiting();
        }
    }
    void flush_waiting();
    void take(std::span<const std::byte> message, RequestHandler& handler);
    void answer(const Request& request, RequestHandler& handler);
    void reply(const Request& request, std::size_t size);
    void note_failure(rt::Error error);
    void complain(const char* why);

    Hypervisor& hypervisor_;
    CapId send_;
    CapId receive_;
    std::uint32_t peer_;
    unsigned complaints_ = 0;
    bool broken_ = false; // the send queue refused with something else than "full": logged once
    Reassembly reassembly_;
    OutgoingQueue outgoing_;
    Answer answer_;
};

} // namespace rm
