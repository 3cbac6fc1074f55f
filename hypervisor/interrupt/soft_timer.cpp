// SPDX-License-Identifier: BSD-3-Clause
// Deadlines of one CPU in a sorted list; only the soonest is in the hardware.
#include "interrupt/soft_timer.hpp"

#include <arch/cpu.hpp>
#include <arch/guest_state.hpp>

#include <array>

namespace hyp {

void SoftTimer::arm(SoftTimerQueue& queue, std::uint64_t deadline) {
    cancel();
    const LockGuard guard(queue.lock_);
    deadline_ = deadline;
    queue_.store(&queue, std::memory_order_release);
    queue.insert(*this);
    queue.program();
}

void SoftTimer::cancel() {
    SoftTimerQueue* queue = queue_.load(std::memory_order_acquire);
    if (queue == nullptr) {
        return;
    }
    const LockGuard guard(queue->lock_);
    // If it expired before we had the lock, it is off the list already. The hardware deadline of a
    // removed timer stays: it costs one spurious interrupt, less than a write for each cancel.
    rt::IntrusiveList<SoftTimer, SoftTimerTag>::remove(*this);
    queue_.store(nullptr, std::memory_order_release);
}

SoftTimerQueue& SoftTimerQueue::mine() {
    static constinit std::array<SoftTimerQueue, max_cpus> queues{};
    return queues[cpu_index()];
}

void SoftTimerQueue::insert(SoftTimer& timer) {
    for (SoftTimer& other : timers_) {
        if (timer.deadline_ < other.deadline_) {
            timers_.insert_before(other, timer);
            return;
        }
    }
    timers_.push_back(timer);
}

void SoftTimerQueue::program() {
    if (timers_.empty()) {
        arch::clear_deadline();
    } else {
        arch::set_deadline(timers_.front()->deadline_);
    }
}

void SoftTimerQueue::expire() {
    const LockGuard guard(lock_);
    for (;;) {
        SoftTimer* first = timers_.front();
        if (first == nullptr || first->deadline_ > arch::counter()) {
            break;
        }
        rt::IntrusiveList<SoftTimer, SoftTimerTag>::remove(*first);
        first->callback_(first->context_);
        // Last: from here on another CPU may see it as disarmed and free it.
        first->queue_.store(nullptr, std::memory_order_release);
    }
    program();
}

} // namespace hyp
