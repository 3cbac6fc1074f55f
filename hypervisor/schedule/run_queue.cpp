// SPDX-License-Identifier: BSD-3-Clause
// A bitmap over 64 lists: finding the next vCPU does not depend on how many are queued.
#include "schedule/run_queue.hpp"

#include <bit>

namespace hyp {

using rt::LockGuard;

void RunQueue::push_back(Vcpu& vcpu) {
    const LockGuard guard(lock_);
    if (insert(vcpu, false)) {
        vcpu.acquire_reference();
    }
}

void RunQueue::push_front(Vcpu& vcpu) {
    const LockGuard guard(lock_);
    if (insert(vcpu, true)) {
        vcpu.acquire_reference();
    }
}

void RunQueue::remove(Vcpu& vcpu) {
    {
        const LockGuard guard(lock_);
        if (!static_cast<rt::ListNode<RunQueueTag>&>(vcpu).linked()) {
            return;
        }
        unlink(vcpu);
    }
    vcpu.release_reference();
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

bool RunQueue::insert(Vcpu& vcpu, bool front) {
    if (static_cast<rt::ListNode<RunQueueTag>&>(vcpu).linked()) {
        return false;
    }
    const unsigned priority = vcpu.scheduling().priority;
    if (front) {
        lists_[priority].push_front(vcpu);
    } else {
        lists_[priority].push_back(vcpu);
    }
    occupied_ |= std::uint64_t{1} << priority;
    update_top();
    return true;
}

void RunQueue::unlink(Vcpu& vcpu) {
    const unsigned priority = vcpu.scheduling().priority;
    List::remove(vcpu);
    if (lists_[priority].empty()) {
        occupied_ &= ~(std::uint64_t{1} << priority);
    }
    update_top();
}

void RunQueue::update_top() {
    top_.store(63 - std::countl_zero(occupied_), std::memory_order_release);
}

} // namespace hyp
