// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on message queues (public API document, "Message Queue Management").
#include "hypercall/guest_buffer.hpp"
#include "hypercall/on_object.hpp"
#include "ipc/message_queue.hpp"

#include <cstddef>
#include <optional>

namespace hyp {

namespace {

constexpr std::uint64_t unchanged = ~std::uint64_t{0};       // -1
constexpr std::uint64_t whole_depth = ~std::uint64_t{0} - 1; // -2

std::optional<std::uint64_t> optional_argument(std::uint64_t value) {
    return value == unchanged ? std::nullopt : std::optional(value);
}

/// From the caller's memory.
class GuestSource final : public MessageSource {
public:
    GuestSource(Vcpu& caller, VirtAddr message) : caller_(caller), message_(message) {}
    Result<> give(std::span<std::byte> place) override {
        return copy_from_guest(caller_, message_, place);
    }

private:
    Vcpu& caller_;
    VirtAddr message_;
};

/// Consumes a reference. Out of line, so that the look-up needs few registers.
[[gnu::noinline]] std::uint64_t send_and_release(MessageQueue* queue, Vcpu& caller, Arguments a) {
    const Ref<MessageQueue> held = Ref<MessageQueue>::adopt(queue);
    GuestSource source(caller, VirtAddr{a.x[2]});
    const auto not_full = queue->send(a.x[1], source, a.x[3] != 0);
    if (!not_full) {
        return error_code(not_full.error());
    }
    return give(caller, *not_full).x0();
}

/// x0 queue, x1 size, x2 address, x3 flags, x4 zero -> not full.
std::uint64_t msgqueue_send(Vcpu& caller, Arguments a) {
    auto queue = caller.cspace().lookup_active<MessageQueue>(a.x[0], GH_RIGHT_MSGQUEUE_SEND);
    if (!queue) {
        return error_code(queue.error());
    }
    const std::uint64_t unknown_flags = a.x[3] & ~std::uint64_t{GH_MSGQUEUE_SEND_PUSH};
    if ((unknown_flags | a.x[4]) != 0) {
        return error_code(Error::argument_invalid);
    }
    if ((*queue)->looks_full()) {
        return error_code(Error::msgqueue_full);
    }
    return send_and_release(queue->detach(), caller, a);
}

/// Into the caller's memory; a message that cannot go there stays in the queue.
class GuestSink final : public MessageSink {
public:
    GuestSink(Vcpu& caller, VirtAddr buffer) : caller_(caller), buffer_(buffer) {}
    Result<> take(std::span<const std::byte> message) override {
        return copy_to_guest(caller_, buffer_, message);
    }

private:
    Vcpu& caller_;
    VirtAddr buffer_;
};

/// Consumes a reference. Out of line, so that the look-up needs few registers.
[[gnu::noinline]] std::uint64_t receive_and_release(MessageQueue* queue, Vcpu& caller,
                                                    Arguments a) {
    const Ref<MessageQueue> held = Ref<MessageQueue>::adopt(queue);
    GuestSink sink(caller, VirtAddr{a.x[1]});
    const auto received = queue->receive(a.x[2], sink);
    if (!received) {
        return error_code(received.error());
    }
    return give(caller, received->size, received->not_empty).x0();
}

/// x0 queue, x1 address, x2 size of the buffer, x3 zero -> size, not empty.
std::uint64_t msgqueue_receive(Vcpu& caller, Arguments a) {
    if (a.x[3] != 0) {
        return error_code(Error::argument_invalid);
    }
    auto queue = caller.cspace().lookup_active<MessageQueue>(a.x[0], GH_RIGHT_MSGQUEUE_RECEIVE);
    if (!queue) {
        return error_code(queue.error());
    }
    if ((*queue)->looks_empty()) { // the usual end of a receiver's loop
        return error_code(Error::msgqueue_empty);
    }
    return receive_and_release(queue->detach(), caller, a);
}

/// x0 queue, x1 not-full threshold, x2 delay, x3 -1.
Outcome msgqueue_configure_send(Vcpu& caller, Arguments a) {
    return on_active<MessageQueue>(
        caller, a, GH_RIGHT_MSGQUEUE_SEND, ~a.x[3], [&](MessageQueue& queue) {
            return queue.set_send_threshold(optional_argument(a.x[1]), optional_argument(a.x[2]));
        });
}

/// x0 queue, x1 not-empty threshold (-2: the depth), x2 delay, x3 -1.
Outcome msgqueue_configure_receive(Vcpu& caller, Arguments a) {
    return on_active<MessageQueue>(
        caller, a, GH_RIGHT_MSGQUEUE_RECEIVE, ~a.x[3], [&](MessageQueue& queue) {
            const auto threshold =
                a.x[1] == whole_depth ? std::optional(queue.depth()) : optional_argument(a.x[1]);
            return queue.set_receive_threshold(threshold, optional_argument(a.x[2]));
        });
}

/// x0 queue, x1 depth in 15:0 and message size in 31:16, x2 zero.
Outcome msgqueue_configure(Vcpu& caller, Arguments a) {
    return on_any<MessageQueue>(
        caller, a, GH_RIGHT_OBJECT_ACTIVATE, a.x[2] | a.x[1] >> 32, [&](MessageQueue& queue) {
            return queue.configure(a.x[1] & 0xffff, (a.x[1] >> 16) & 0xffff);
        });
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_MSGQUEUE, create<MessageQueue>},
    {GH_MSGQUEUE_BIND_SEND_VIRQ, bind_virq<&MessageQueue::bind_send, GH_RIGHT_MSGQUEUE_BIND_SEND>},
    {GH_MSGQUEUE_BIND_RECEIVE_VIRQ,
     bind_virq<&MessageQueue::bind_receive, GH_RIGHT_MSGQUEUE_BIND_RECEIVE>},
    {GH_MSGQUEUE_UNBIND_SEND_VIRQ, active<&MessageQueue::unbind_send, GH_RIGHT_MSGQUEUE_BIND_SEND>},
    {GH_MSGQUEUE_UNBIND_RECEIVE_VIRQ,
     active<&MessageQueue::unbind_receive, GH_RIGHT_MSGQUEUE_BIND_RECEIVE>},
    {GH_MSGQUEUE_SEND, msgqueue_send},
    {GH_MSGQUEUE_RECEIVE, msgqueue_receive},
    {GH_MSGQUEUE_FLUSH, active<&MessageQueue::flush, GH_RIGHT_MSGQUEUE_RECEIVE>},
    {GH_MSGQUEUE_CONFIGURE_SEND, entry<msgqueue_configure_send>},
    {GH_MSGQUEUE_CONFIGURE_RECEIVE, entry<msgqueue_configure_receive>},
    {GH_MSGQUEUE_CONFIGURE, entry<msgqueue_configure>},
};

} // namespace

constinit const std::span<const HypercallEntry> message_queue_calls = entries;

} // namespace hyp
