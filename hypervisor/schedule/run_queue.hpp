// SPDX-License-Identifier: BSD-3-Clause
// The vCPUs that are ready on one physical CPU, by priority, first in first out within one.
#pragma once

#include "heap/names.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <runtime/intrusive_list.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace hyp {

/// Holds a reference to each queued vCPU. Any CPU may call any function. A vCPU is in one queue at
/// most: Vcpu::queued_on says in whose. Who sets it from no_cpu alone may link the vCPU; it goes
/// back under the lock of the queue that it names.
class RunQueue {
public:
    /// Before first use: the index of its CPU.
    void init(unsigned cpu) { cpu_ = cpu; }
    /// False when the vCPU is in another queue, or on its way there. Does nothing when it is in
    /// this one already.
    [[nodiscard]] bool push(Vcpu&, bool front) RT_EXCLUDES(lock_);
    /// Takes a vCPU out; false if it was not here.
    bool remove(Vcpu&) RT_EXCLUDES(lock_);
    /// The first of the highest priority, or null.
    HYP_CALLED_BY_NAME [[nodiscard]] Ref<Vcpu> pop() RT_EXCLUDES(lock_);
    /// The first of the highest priority that any CPU may run, or null.
    [[nodiscard]] Ref<Vcpu> pop_movable() RT_EXCLUDES(lock_);
    /// Highest queued priority, -1 when empty. A snapshot: whoever adds kicks this queue's CPU.
    [[nodiscard]] int top_priority() const { return top_.load(std::memory_order_acquire); }

private:
    using List = rt::IntrusiveList<Vcpu, RunQueueTag>;

    void insert(Vcpu&, bool front) RT_REQUIRES(lock_);
    void unlink(Vcpu&) RT_REQUIRES(lock_);
    void update_top() RT_REQUIRES(lock_);

    Spinlock lock_;
    std::array<List, GH_VCPU_PRIORITY_MAX + 1> lists_ RT_GUARDED_BY(lock_);
    std::uint64_t occupied_ RT_GUARDED_BY(lock_) = 0; // bit p: lists_[p] is not empty
    std::atomic<int> top_{-1};
    unsigned cpu_ = 0;
};

} // namespace hyp
