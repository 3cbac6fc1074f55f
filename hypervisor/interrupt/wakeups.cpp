// SPDX-License-Identifier: BSD-3-Clause
// Telling vCPUs about their interrupts, outside of the VIC's lock.
#include "interrupt/wakeups.hpp"

#include "interrupt/vic.hpp"

namespace hyp {

static_assert(Vic::vcpus_limit <= 64, "one bit and one entry for each");

void Wakeups::note_other(VicCpu& cpu) {
    const std::uint64_t bit = std::uint64_t{1} << cpu.index_;
    if ((noted_ & bit) != 0) {
        return;
    }
    noted_ |= bit;
    cpu.being_notified_.fetch_add(1, std::memory_order_relaxed);
    cpus_[count_++] = &cpu;
}

void Wakeups::deliver() {
    for (unsigned n = 0; n < count_; n++) {
        cpus_[n]->target_.virq_pending();
        cpus_[n]->being_notified_.fetch_sub(1, std::memory_order_release);
    }
    count_ = 0;
    noted_ = 0;
}

} // namespace hyp
