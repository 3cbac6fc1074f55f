// SPDX-License-Identifier: BSD-3-Clause
// Deadlines that EL2 keeps for vCPUs and time slices, multiplexed on each CPU's EL2 timer.
#pragma once

#include "heap/names.hpp"

#include <runtime/intrusive_list.hpp>

#include <atomic>
#include <cstdint>

namespace hyp {

struct SoftTimerTag {};
class SoftTimerQueue;

/// One deadline. Owned by whoever embeds it; cancel before the end of its life.
class SoftTimer : public rt::ListNode<SoftTimerTag> {
public:
    using Callback = void (*)(void* context);

    /// `callback(context)` runs at EL2 on the CPU that armed the timer, under its queue's lock, so
    /// that cancel() waits for it: it must not arm or cancel any timer.
    SoftTimer(Callback callback, void* context) : callback_(callback), context_(context) {}

    /// Arms for `deadline` (counter ticks) on the calling CPU; re-arms when armed already.
    void arm(SoftTimerQueue& queue, std::uint64_t deadline);
    /// Disarms, wherever it was armed; afterwards the callback does not run and is not running.
    HYP_CALLED_BY_NAME void cancel();
    [[nodiscard]] bool armed() const { return queue_.load(std::memory_order_acquire) != nullptr; }
    /// True if it is armed just so. `queue` is the calling CPU's own: there it cannot expire now.
    [[nodiscard]] bool armed_for(const SoftTimerQueue& queue, std::uint64_t deadline) const {
        return queue_.load(std::memory_order_acquire) == &queue && deadline_ == deadline;
    }

private:
    friend class SoftTimerQueue;
    Callback callback_;
    void* context_;
    std::uint64_t deadline_ = 0;
    std::atomic<SoftTimerQueue*> queue_{nullptr}; // set while armed; changes under its lock
};

/// The timers of one CPU, soonest first.
class SoftTimerQueue {
public:
    /// The calling CPU's.
    static SoftTimerQueue& mine();

    /// Runs what is due and programs the next deadline. On the queue's own CPU.
    void expire();

private:
    friend class SoftTimer;
    void insert(SoftTimer& timer) RT_REQUIRES(lock_);
    void program() RT_REQUIRES(lock_);

    Spinlock lock_;
    rt::IntrusiveList<SoftTimer, SoftTimerTag> timers_ RT_GUARDED_BY(lock_);
};

} // namespace hyp
