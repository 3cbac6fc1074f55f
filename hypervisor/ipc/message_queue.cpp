// SPDX-License-Identifier: BSD-3-Clause
// The ring of messages, and when each side is interrupted.
#include "ipc/message_queue.hpp"

#include "heap/heap.hpp"
#include "interrupt/vic.hpp"

#include <abi/hypercall.h>
#include <arch/guest_state.hpp>

#include <cstring>

namespace hyp {

namespace {

/// A cell: the message's size, then its bytes, aligned so that they are copied by words.
using MessageSize = std::uint64_t;

constexpr std::size_t cell_size(std::size_t message_size) {
    return align_up(sizeof(MessageSize) + message_size, alignof(MessageSize));
}

} // namespace

static_assert(MessageQueue::max_message_size == GH_MSGQUEUE_MAX_MESSAGE_SIZE);

rt::Result<> MessageQueue::configure(std::size_t depth, std::size_t message_size) {
    const rt::LockGuard guard(config_lock);
    if (is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    if (depth == 0 || depth > max_depth || message_size == 0 || message_size > max_message_size) {
        return rt::fail(rt::Error::argument_invalid);
    }
    depth_ = depth;
    message_size_ = message_size;
    return {};
}

rt::Result<> MessageQueue::on_activate() {
    if (depth_ == 0) {
        return rt::fail(rt::Error::object_config);
    }
    const rt::LockGuard guard(lock_);
    const std::size_t bytes = depth_ * cell_size(message_size_);
    if (!charge(bytes)) {
        return rt::fail(rt::Error::no_memory);
    }
    storage_ = static_cast<std::byte*>(heap().allocate(bytes));
    if (storage_ == nullptr) {
        refund(bytes);
        return rt::fail(rt::Error::no_memory);
    }
    not_full_threshold_ = depth_ - 1;
    not_empty_threshold_ = 1;
    return {};
}

void MessageQueue::on_destroy() {
    send_timer_.cancel();
    receive_timer_.cancel();
    unbind_send();
    unbind_receive();
    const rt::LockGuard guard(lock_);
    heap().release(storage_);
    storage_ = nullptr;
}

rt::Result<> MessageQueue::bind_send(Vic& vic, VirqInfo info) {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    auto bound = send_source_.bind(vic, info);
    if (!bound) {
        return bound;
    }
    bool wake = false;
    {
        const rt::LockGuard guard(lock_);
        wake = sender_waits_ && used() <= not_full_threshold_;
    }
    if (wake) {
        send_source_.assert_edge();
    }
    return {};
}

rt::Result<> MessageQueue::bind_receive(Vic& vic, VirqInfo info) {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    auto bound = receive_source_.bind(vic, info);
    if (!bound) {
        return bound;
    }
    bool wake = false;
    {
        const rt::LockGuard guard(lock_);
        wake = used() >= not_empty_threshold_;
    }
    if (wake) {
        receive_source_.assert_edge();
    }
    return {};
}

/// The cell `index` places behind the head.
std::byte* MessageQueue::cell(std::size_t index) {
    return storage_ + (head_ + index) % depth_ * cell_size(message_size_);
}

rt::Result<bool> MessageQueue::send(std::size_t size, MessageSource& source, bool push) {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    if (size == 0 || size > message_size_) {
        return rt::fail(rt::Error::argument_size);
    }
    bool not_full = false;
    bool wake = false;
    std::uint64_t delay = 0;
    {
        const rt::LockGuard guard(lock_);
        if (used() == depth_) {
            sender_waits_ = true;
            return rt::fail(rt::Error::msgqueue_full);
        }
        std::byte* place = cell(used());
        if (auto given = source.give({place + sizeof(MessageSize), size}); !given) {
            return rt::fail(given.error());
        }
        const MessageSize noted = size;
        std::memcpy(place, &noted, sizeof(noted));
        const bool was_below = used() < not_empty_threshold_;
        set_used(used() + 1);
        wake = push || (was_below && used() >= not_empty_threshold_);
        not_full = used() < depth_;
        sender_waits_ = !not_full;
        delay = used() < not_empty_threshold_ ? not_empty_delay_ : 0;
    }
    if (wake) {
        receive_source_.assert_edge();
    } else if (delay != 0) {
        start(receive_timer_, delay);
    }
    return not_full;
}

rt::Result<MessageQueue::Received> MessageQueue::receive(std::size_t limit, MessageSink& sink) {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    Received received;
    bool wake = false;
    std::uint64_t delay = 0;
    {
        const rt::LockGuard guard(lock_);
        if (used() == 0) {
            return rt::fail(rt::Error::msgqueue_empty);
        }
        const std::byte* place = cell(0);
        MessageSize size = 0;
        std::memcpy(&size, place, sizeof(size));
        if (size > limit) {
            return rt::fail(rt::Error::address_overflow);
        }
        if (auto taken = sink.take({place + sizeof(size), size}); !taken) {
            return rt::fail(taken.error());
        }
        const bool was_above = used() > not_full_threshold_;
        head_ = (head_ + 1) % depth_;
        set_used(used() - 1);
        wake = was_above && used() <= not_full_threshold_;
        sender_waits_ = sender_waits_ && !(wake && send_source_.bound());
        received = {static_cast<std::uint32_t>(size), used() != 0};
        delay = used() > not_full_threshold_ ? not_full_delay_ : 0;
    }
    if (wake) {
        send_source_.assert_edge();
    } else if (delay != 0) {
        start(send_timer_, delay);
    }
    return received;
}

rt::Result<> MessageQueue::flush() {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    bool wake = false;
    {
        const rt::LockGuard guard(lock_);
        wake = used() > not_full_threshold_;
        head_ = 0;
        set_used(0);
        sender_waits_ = sender_waits_ && !(wake && send_source_.bound());
    }
    if (wake) {
        send_source_.assert_edge(); // there is room, and a sender may wait for it
    }
    return {};
}

/// A delay that runs already counts from its own message.
void MessageQueue::start(SoftTimer& timer, std::uint64_t delay_us) {
    const rt::LockGuard guard(timer_lock_);
    if (!timer.armed()) {
        const std::uint64_t ticks = delay_us * arch::counter_frequency() / 1'000'000;
        timer.arm(SoftTimerQueue::mine(), arch::counter() + ticks);
    }
}

void MessageQueue::on_send_delay(void* queue) {
    auto& self = *static_cast<MessageQueue*>(queue);
    bool wake = false;
    {
        const rt::LockGuard guard(self.lock_);
        wake = self.used() < self.depth_ && self.used() > self.not_full_threshold_;
    }
    if (wake) {
        self.send_source_.assert_edge();
    }
}

void MessageQueue::on_receive_delay(void* queue) {
    auto& self = *static_cast<MessageQueue*>(queue);
    bool wake = false;
    {
        const rt::LockGuard guard(self.lock_);
        wake = self.used() > 0 && self.used() < self.not_empty_threshold_;
    }
    if (wake) {
        self.receive_source_.assert_edge();
    }
}

rt::Result<> MessageQueue::set_send_threshold(std::optional<std::uint64_t> not_full,
                                              std::optional<std::uint64_t> delay_us) {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    if (not_full && *not_full >= depth_) {
        return rt::fail(rt::Error::argument_invalid);
    }
    if (delay_us.value_or(0) > max_delay_us) {
        return rt::fail(rt::Error::argument_invalid);
    }
    const rt::LockGuard guard(lock_);
    not_full_delay_ = delay_us.value_or(not_full_delay_);
    not_full_threshold_ = not_full.value_or(not_full_threshold_);
    return {};
}

rt::Result<> MessageQueue::set_receive_threshold(std::optional<std::uint64_t> not_empty,
                                                 std::optional<std::uint64_t> delay_us) {
    if (!is_active()) {
        return rt::fail(rt::Error::object_state);
    }
    if (not_empty && (*not_empty == 0 || *not_empty > depth_)) {
        return rt::fail(rt::Error::argument_invalid);
    }
    if (delay_us.value_or(0) > max_delay_us) {
        return rt::fail(rt::Error::argument_invalid);
    }
    bool wake = false;
    {
        const rt::LockGuard guard(lock_);
        const bool was_below = used() < not_empty_threshold_;
        not_empty_delay_ = delay_us.value_or(not_empty_delay_);
        not_empty_threshold_ = not_empty.value_or(not_empty_threshold_);
        wake = was_below && used() >= not_empty_threshold_;
    }
    if (wake) {
        receive_source_.assert_edge(); // messages that waited for more have become enough
    }
    return {};
}

} // namespace hyp
