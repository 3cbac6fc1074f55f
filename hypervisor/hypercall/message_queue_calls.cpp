// SPDX-License-Identifier: BSD-3-Clause
// Hypercalls on message queues (public API document, "Message Queue Management").
#include "hypercall/create.hpp"
#include "hypercall/guest_buffer.hpp"
#include "hypercall/handler.hpp"
#include "interrupt/vic.hpp"
#include "ipc/message_queue.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <abi/rights.h>

#include <algorithm>
#include <array>
#include <optional>

namespace hyp {

using rt::Error;
using rt::fail;
using rt::Result;

namespace {

using Buffer = std::array<std::byte, MessageQueue::max_message_size>;

Result<Ref<MessageQueue>> queue_of(Vcpu& caller, const Arguments& a, std::uint64_t reserved,
                                   std::uint32_t rights) {
    if (auto zero = require_zero(reserved); !zero) {
        return fail(zero.error());
    }
    return caller.cspace().lookup_active<MessageQueue>(a.x[0], rights);
}

Result<Outputs> partition_create_msgqueue(Vcpu& caller, const Arguments& a) {
    return create_object<MessageQueue>(caller, a);
}

// MessageQueueCreateInfo: depth [15:0], largest message [31:16].
Result<Outputs> msgqueue_configure(Vcpu& caller, const Arguments& a) {
    if (a.x[2] != 0 || (a.x[1] >> 32) != 0) {
        return fail(Error::argument_invalid);
    }
    auto queue = caller.cspace().lookup<MessageQueue>(a.x[0], GH_RIGHT_OBJECT_ACTIVATE);
    return queue ? done((*queue)->configure(a.x[1] & 0xffff, a.x[1] >> 16)) : fail(queue.error());
}

using Bind = Result<> (MessageQueue::*)(Vic&, VirqInfo);

Result<Outputs> bind(Vcpu& caller, const Arguments& a, std::uint32_t right, Bind bind_side) {
    auto queue = queue_of(caller, a, a.x[3], right);
    if (!queue) {
        return fail(queue.error());
    }
    auto vic = caller.cspace().lookup_active<Vic>(a.x[1], GH_RIGHT_VIC_BIND_SOURCE);
    if (!vic) {
        return fail(vic.error());
    }
    const auto info = VirqInfo::decode(a.x[2]);
    return info ? done(((**queue).*bind_side)(**vic, *info)) : fail(info.error());
}

Result<Outputs> msgqueue_bind_send_virq(Vcpu& caller, const Arguments& a) {
    return bind(caller, a, GH_RIGHT_MSGQUEUE_BIND_SEND, &MessageQueue::bind_send);
}

Result<Outputs> msgqueue_bind_receive_virq(Vcpu& caller, const Arguments& a) {
    return bind(caller, a, GH_RIGHT_MSGQUEUE_BIND_RECEIVE, &MessageQueue::bind_receive);
}

Result<Outputs> msgqueue_unbind_send_virq(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, a.x[1], GH_RIGHT_MSGQUEUE_BIND_SEND);
    if (!queue) {
        return fail(queue.error());
    }
    (*queue)->unbind_send();
    return Outputs{};
}

Result<Outputs> msgqueue_unbind_receive_virq(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, a.x[1], GH_RIGHT_MSGQUEUE_BIND_RECEIVE);
    if (!queue) {
        return fail(queue.error());
    }
    (*queue)->unbind_receive();
    return Outputs{};
}

Result<Outputs> msgqueue_send(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, a.x[4], GH_RIGHT_MSGQUEUE_SEND);
    if (!queue) {
        return fail(queue.error());
    }
    if ((a.x[3] & ~std::uint64_t{GH_MSGQUEUE_SEND_PUSH}) != 0) {
        return fail(Error::argument_invalid);
    }
    Buffer buffer;
    if (a.x[1] == 0 || a.x[1] > buffer.size()) {
        return fail(Error::argument_size);
    }
    const auto message = std::span(buffer).first(a.x[1]);
    if (auto copied = copy_from_guest(caller, VirtAddr{a.x[2]}, message); !copied) {
        return fail(copied.error());
    }
    const auto not_full = (*queue)->send(message, (a.x[3] & GH_MSGQUEUE_SEND_PUSH) != 0);
    if (!not_full) {
        return fail(not_full.error());
    }
    return Outputs{*not_full ? 1u : 0u};
}

// The buffer is probed before the message is taken, so that a bad address loses nothing. (A page
// that another vCPU of the caller unmaps in between loses the message; that is its own doing.)
Result<Outputs> msgqueue_receive(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, a.x[3], GH_RIGHT_MSGQUEUE_RECEIVE);
    if (!queue) {
        return fail(queue.error());
    }
    const auto next = (*queue)->front_size();
    if (!next) {
        return fail(next.error());
    }
    Buffer buffer{};
    const std::size_t limit = std::min<std::uint64_t>(a.x[2], buffer.size());
    if (*next > limit) {
        return fail(Error::address_overflow);
    }
    if (auto writable = probe_guest_write(caller, VirtAddr{a.x[1]}, limit); !writable) {
        return fail(writable.error());
    }
    const auto received = (*queue)->receive(std::span(buffer).first(limit));
    if (!received) {
        return fail(received.error());
    }
    const auto message = std::span<const std::byte>(buffer).first(received->size);
    if (auto copied = copy_to_guest(caller, VirtAddr{a.x[1]}, message); !copied) {
        return fail(copied.error());
    }
    return Outputs{received->size, received->not_empty ? 1u : 0u};
}

Result<Outputs> msgqueue_flush(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, a.x[1], GH_RIGHT_MSGQUEUE_RECEIVE);
    return queue ? done((*queue)->flush()) : fail(queue.error());
}

constexpr std::uint64_t unchanged = ~std::uint64_t{0};

std::optional<std::uint64_t> change(std::uint64_t argument) {
    return argument == unchanged ? std::nullopt : std::optional(argument);
}

Result<Outputs> msgqueue_configure_send(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, ~a.x[3], GH_RIGHT_MSGQUEUE_SEND);
    return queue ? done((*queue)->set_send_threshold(change(a.x[1]), change(a.x[2])))
                 : fail(queue.error());
}

Result<Outputs> msgqueue_configure_receive(Vcpu& caller, const Arguments& a) {
    auto queue = queue_of(caller, a, ~a.x[3], GH_RIGHT_MSGQUEUE_RECEIVE);
    return queue ? done((*queue)->set_receive_threshold(change(a.x[1]), change(a.x[2])))
                 : fail(queue.error());
}

constexpr HypercallEntry entries[] = {
    {GH_PARTITION_CREATE_MSGQUEUE, partition_create_msgqueue},
    {GH_MSGQUEUE_CONFIGURE, msgqueue_configure},
    {GH_MSGQUEUE_BIND_SEND_VIRQ, msgqueue_bind_send_virq},
    {GH_MSGQUEUE_BIND_RECEIVE_VIRQ, msgqueue_bind_receive_virq},
    {GH_MSGQUEUE_UNBIND_SEND_VIRQ, msgqueue_unbind_send_virq},
    {GH_MSGQUEUE_UNBIND_RECEIVE_VIRQ, msgqueue_unbind_receive_virq},
    {GH_MSGQUEUE_SEND, msgqueue_send},
    {GH_MSGQUEUE_RECEIVE, msgqueue_receive},
    {GH_MSGQUEUE_FLUSH, msgqueue_flush},
    {GH_MSGQUEUE_CONFIGURE_SEND, msgqueue_configure_send},
    {GH_MSGQUEUE_CONFIGURE_RECEIVE, msgqueue_configure_receive},
};

} // namespace

std::span<const HypercallEntry> message_queue_calls() {
    return entries;
}

} // namespace hyp
