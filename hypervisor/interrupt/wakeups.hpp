// SPDX-License-Identifier: BSD-3-Clause
// The vCPUs to tell after the VIC's lock is released.
#pragma once

#include "interrupt/vic_cpu.hpp"

#include <cstdint>

namespace hyp {

/// Filled under the VIC's lock, delivered (by destruction) after it: declare it before the guard.
/// Each noted VicCpu stays attached until then, because detach() waits for it.
class Wakeups {
public:
    /// `self`: the vCPU in whose own context this CPU acts. It needs no telling, its next enter()
    /// comes after this.
    explicit Wakeups(const VicCpu* self = nullptr) : self_(self) {}
    Wakeups(const Wakeups&) = delete;
    Wakeups& operator=(const Wakeups&) = delete;
    ~Wakeups() {
        if (count_ != 0) {
            deliver();
        }
    }

    /// Under the VIC's lock.
    void note(VicCpu& cpu) {
        if (&cpu != self_) {
            note_other(cpu);
        }
    }
    /// Calls VirqTarget::virq_pending() of each, once.
    HYP_CALLED_BY_NAME void deliver();

private:
    void note_other(VicCpu& cpu);

    const VicCpu* self_;
    std::uint64_t noted_ = 0; // by index; at most Vic::vcpus_limit
    unsigned count_ = 0;
    VicCpu* cpus_[64]; // the first count_ are valid
};

} // namespace hyp
