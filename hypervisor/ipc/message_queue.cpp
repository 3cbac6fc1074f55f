// SPDX-License-Identifier: BSD-3-Clause
// The ring of messages, and when each side is interrupted.
#include "ipc/message_queue.hpp"

#include "heap/heap.hpp"
#include "interrupt/vic.hpp"

#include <abi/hypercall.h>
#include <arch/guest_state.hpp>

namespace hyp {

static_assert(MessageQueue::max_message_size == GH_MSGQUEUE_MAX_MESSAGE_SIZE);

namespace {

/// Holds the queue's lock for a scope, and interrupts a side after that if `wanted`.
class RT_SCOPED_CAPABILITY WakeGuard {
public:
    WakeGuard(Spinlock& lock, VirqSource& side) RT_ACQUIRE(lock) : lock_(lock), side_(side) {
        lock_.lock();
    }
    ~WakeGuard() RT_RELEASE() {
        lock_.unlock();
        if (wanted) {
            side_.assert_edge();
        }
    }
    WakeGuard(const WakeGuard&) = delete;
    WakeGuard& operator=(const WakeGuard&) = delete;

    bool wanted = false;

private:
    Spinlock& lock_;
    VirqSource& side_;
};

} // namespace

Result<> MessageQueue::configure(std::size_t depth, std::size_t message_size) {
    const LockGuard guard(config_lock);
    RT_FAIL_IF(is_active(), Error::object_state);
    RT_FAIL_IF(depth == 0 || depth > max_depth || message_size == 0 ||
                   message_size > max_message_size,
               Error::argument_invalid);
    depth_ = depth;
    message_size_ = message_size;
    cell_size_ = align_up(sizeof(Cell) + message_size, alignof(Cell));
    return {};
}

Result<> MessageQueue::on_activate() {
    RT_FAIL_IF(depth_ == 0, Error::object_config);
    const LockGuard guard(lock_);
    storage_ = static_cast<std::byte*>(allocate_charged(depth_ * cell_size_));
    RT_FAIL_IF(storage_ == nullptr, Error::no_memory);
    not_full_threshold_ = depth_ - 1;
    not_empty_threshold_ = 1;
    return {};
}

void MessageQueue::on_destroy() {
    send_timer_.cancel();
    receive_timer_.cancel();
    unbind_send();
    unbind_receive();
    const LockGuard guard(lock_);
    heap().release(storage_);
    storage_ = nullptr;
}

Result<> MessageQueue::bind_send(Vic& vic, VirqInfo info) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_TRY(send_source_.bind(vic, info));
    WakeGuard wake(lock_, send_source_);
    wake.wanted = sender_waits_ && used() <= not_full_threshold_;
    return {};
}

Result<> MessageQueue::bind_receive(Vic& vic, VirqInfo info) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_TRY(receive_source_.bind(vic, info));
    WakeGuard wake(lock_, receive_source_);
    wake.wanted = used() >= not_empty_threshold_;
    return {};
}

/// The cell `index` places behind the head.
inline MessageQueue::Cell* MessageQueue::cell(std::size_t index) {
    const std::size_t place = head_ + index;
    const std::size_t wrapped = place < depth_ ? place : place - depth_;
    return reinterpret_cast<Cell*>(storage_ + wrapped * cell_size_);
}

Result<std::uint32_t> MessageQueue::send(std::size_t size, MessageSource& source, bool push) {
    RT_FAIL_IF(size - 1 >= message_size_, Error::argument_size);
    std::size_t filled = 0;
    bool wake = false;
    std::uint64_t delay = 0;
    {
        const LockGuard guard(lock_);
        const std::size_t before = used();
        if (before == depth_) {
            return fail(Error::msgqueue_full); // sender_waits_ since it is
        }
        Cell* place = cell(before);
        RT_TRY(source.give({place->bytes, size}));
        place->size = size;
        filled = before + 1;
        set_used(filled);
        wake = push || filled == not_empty_threshold_;
        sender_waits_ = filled == depth_;
        delay = filled < not_empty_threshold_ ? not_empty_delay_ : 0;
    }
    if (wake) {
        receive_source_.assert_edge();
    } else if (delay != 0) {
        start(receive_timer_, delay);
    }
    return filled != depth_ ? 1U : 0U;
}

Result<MessageQueue::Received> MessageQueue::receive(std::size_t limit, MessageSink& sink) {
    std::uint64_t size = 0;
    std::size_t left = 0;
    bool wake = false;
    std::uint64_t delay = 0;
    {
        const LockGuard guard(lock_);
        const std::size_t before = used();
        RT_FAIL_IF(before == 0, Error::msgqueue_empty);
        const Cell* place = cell(0);
        size = place->size;
        RT_FAIL_IF(size > limit, Error::address_overflow);
        RT_TRY(sink.take({place->bytes, size}));
        head_ = head_ + 1 == depth_ ? 0 : head_ + 1;
        left = before - 1;
        set_used(left);
        wake = left == not_full_threshold_;
        sender_waits_ = sender_waits_ && !(wake && send_source_.bound());
        delay = left > not_full_threshold_ ? not_full_delay_ : 0;
    }
    if (wake) {
        send_source_.assert_edge();
    } else if (delay != 0) {
        start(send_timer_, delay);
    }
    return Received{static_cast<std::uint32_t>(size), left != 0 ? 1U : 0U};
}

Result<> MessageQueue::flush() {
    RT_FAIL_IF(!is_active(), Error::object_state);
    WakeGuard wake(lock_, send_source_);
    wake.wanted = used() > not_full_threshold_; // there is room, and a sender may wait for it
    head_ = 0;
    set_used(0);
    sender_waits_ = sender_waits_ && !(wake.wanted && send_source_.bound());
    return {};
}

/// A delay that runs already counts from its own message.
void MessageQueue::start(SoftTimer& timer, std::uint64_t delay_us) {
    const LockGuard guard(timer_lock_);
    if (!timer.armed()) {
        const std::uint64_t ticks = delay_us * arch::counter_frequency() / 1'000'000;
        timer.arm(SoftTimerQueue::mine(), arch::counter() + ticks);
    }
}

void MessageQueue::on_send_delay(void* queue) {
    auto& self = *static_cast<MessageQueue*>(queue);
    WakeGuard wake(self.lock_, self.send_source_);
    wake.wanted = self.used() < self.depth_ && self.used() > self.not_full_threshold_;
}

void MessageQueue::on_receive_delay(void* queue) {
    auto& self = *static_cast<MessageQueue*>(queue);
    WakeGuard wake(self.lock_, self.receive_source_);
    wake.wanted = self.used() > 0 && self.used() < self.not_empty_threshold_;
}

Result<> MessageQueue::set_send_threshold(std::optional<std::uint64_t> not_full,
                                          std::optional<std::uint64_t> delay_us) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    RT_FAIL_IF(not_full.value_or(0) >= depth_ || delay_us.value_or(0) > max_delay_us,
               Error::argument_invalid);
    const LockGuard guard(lock_);
    not_full_delay_ = delay_us.value_or(not_full_delay_);
    not_full_threshold_ = not_full.value_or(not_full_threshold_);
    return {};
}

Result<> MessageQueue::set_receive_threshold(std::optional<std::uint64_t> not_empty,
                                             std::optional<std::uint64_t> delay_us) {
    RT_FAIL_IF(!is_active(), Error::object_state);
    // Zero wraps.
    RT_FAIL_IF(not_empty.value_or(1) - 1 >= depth_ || delay_us.value_or(0) > max_delay_us,
               Error::argument_invalid);
    WakeGuard wake(lock_, receive_source_);
    const bool was_below = used() < not_empty_threshold_;
    not_empty_delay_ = delay_us.value_or(not_empty_delay_);
    not_empty_threshold_ = not_empty.value_or(not_empty_threshold_);
    // Messages that waited for more have become enough.
    wake.wanted = was_below && used() >= not_empty_threshold_;
    return {};
}

} // namespace hyp
