// SPDX-License-Identifier: BSD-3-Clause
// Wake-ups of proxy-scheduled vCPUs that a hypercall's caller is told of in place of an interrupt.
#pragma once

#include "interrupt/vic.hpp"

#include <cstdint>

namespace hyp {

/// While it lives, a wake-up interrupt that this CPU would raise in `vic` is noted in its place. On
/// the stack of one hypercall; one per CPU at a time.
class WakeupCollector {
public:
    explicit WakeupCollector(const Vic* vic);
    WakeupCollector(const WakeupCollector&) = delete;
    WakeupCollector& operator=(const WakeupCollector&) = delete;
    ~WakeupCollector();

    /// Bit n: the vCPU of index n is ready and waits for a vcpu_run.
    [[nodiscard]] std::uint64_t vcpus() const { return vcpus_; }

    /// True: the calling CPU's collector has noted vCPU `index`, whose interrupt `wakeup` is.
    static bool takes(const VirqSource& wakeup, unsigned index);

private:
    const Vic* vic_;
    std::uint64_t vcpus_ = 0;
};

} // namespace hyp
