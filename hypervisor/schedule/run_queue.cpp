// SPDX-License-Identifier: BSD-3-Clause
// A bitmap over 64 lists: finding the next vCPU does not depend on how many are queued.
#include "schedule/run_queue.hpp"

#include <bit>

namespace hyp {

bool RunQueue::push(Vcpu& vcpu, bool front) {
    unsigned queue = no_cpu;
    const bool ours = vcpu.queued_on.compare_exchange_strong(queue, cpu_);
    const LockGuard guard(lock_);
    if (ours) {
        vcpu.acquire_reference();
        insert(vcpu, front);
        return true;
    }
    // Under the lock: whoever takes it out after this sees what made the caller push it.
    return vcpu.queued_on.load() == cpu_;
}

bool RunQueue::remove(Vcpu& vcpu) {
    {
        const LockGuard guard(lock_);
        if (vcpu.queued_on.load() != cpu_ ||
            !static_cast<rt::ListNode<RunQueueTag>&>(vcpu).linked()) {
            return false;
        }
        unlink(vcpu);
    }
    vcpu.release_reference();
    return true;
}

Ref<Vcpu> RunQueue::pop() {
    const LockGuard guard(lock_);
    if (occupied_ == 0) {
        return {};
    }
    Vcpu* first = lists_[static_cast<std::size_t>(63 - std::countl_zero(occupied_))].front();
    unlink(*first);
    return Ref<Vcpu>::adopt(first);
}

Ref<Vcpu> RunQueue::pop_movable() {
    const LockGuard guard(lock_);
    for (std::uint64_t left = occupied_; left != 0;) {
        const auto priority = static_cast<std::size_t>(63 - std::countl_zero(left));
        left &= ~(std::uint64_t{1} << priority);
        for (Vcpu& vcpu : lists_[priority]) {
            if (vcpu.affinity() == no_cpu) {
                unlink(vcpu);
                return Ref<Vcpu>::adopt(&vcpu);
            }
        }
    }
    return {};
}

void RunQueue::insert(Vcpu& vcpu, bool front) {
    const unsigned priority = vcpu.scheduling().priority;
    if (front) {
        lists_[priority].push_front(vcpu);
    } else {
        lists_[priority].push_back(vcpu);
    }
    occupied_ |= std::uint64_t{1} << priority;
    update_top();
}

void RunQueue::unlink(Vcpu& vcpu) {
    const unsigned priority = vcpu.scheduling().priority;
    List::remove(vcpu);
    vcpu.queued_on.store(no_cpu);
    if (lists_[priority].empty()) {
        occupied_ &= ~(std::uint64_t{1} << priority);
    }
    update_top();
}

void RunQueue::update_top() {
    top_.store(63 - std::countl_zero(occupied_), std::memory_order_release);
}

} // namespace hyp
