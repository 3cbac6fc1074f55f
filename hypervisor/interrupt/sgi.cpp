// SPDX-License-Identifier: BSD-3-Clause
// Software-generated interrupts: what a guest's write to ICC_SGI1R_EL1 means (IHI 0069, 12.2.22).
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/wakeups.hpp"

namespace hyp {
namespace {

struct SgiRequest {
    std::uint32_t intid;
    bool all_but_self;     // IRM
    std::uint64_t first;   // affinity of bit 0 of the list: the cluster, and RS * 16
    std::uint32_t targets; // bit n: affinity first + n

    explicit SgiRequest(std::uint64_t value)
        : intid(static_cast<std::uint32_t>(value >> 24 & 0xf)),
          all_but_self((value >> 40 & 1) != 0),
          first((value >> 48 & 0xff) << 32 | (value >> 32 & 0xff) << 16 |
                (value >> 16 & 0xff) << 8 | (value >> 44 & 0xf) << 4),
          targets(static_cast<std::uint32_t>(value & 0xffff)) {}

    [[nodiscard]] bool names(std::uint64_t affinity) const {
        const std::uint64_t bit = affinity - first; // no carry: 16 numbers from a multiple of 16
        return bit < 16 && (targets >> bit & 1) != 0;
    }
};

} // namespace

void Vic::send_sgi(VicCpu& from, std::uint64_t value, bool group0) {
    const SgiRequest request(value);
    Wakeups wakeups(&from);
    const LockGuard guard(lock_);
    for (unsigned n = 0; n < max_vcpus_; n++) {
        VicCpu* cpu = cpus_[n];
        if (cpu == nullptr ||
            !(request.all_but_self ? cpu != &from : request.names(cpu->affinity_))) {
            continue;
        }
        Virq& irq = cpu->private_[request.intid];
        if (irq.group0 != group0) {
            continue;
        }
        irq.latch = true;
        if (!cpu->place_at_once_locked(irq)) {
            update(irq, wakeups);
        }
    }
}

} // namespace hyp
