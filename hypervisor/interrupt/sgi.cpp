// SPDX-License-Identifier: BSD-3-Clause
// Software-generated interrupts: what a guest's write to ICC_SGI1R_EL1 means (IHI 0069, 12.2.22).
#include "interrupt/vic.hpp"
#include "interrupt/vic_cpu.hpp"
#include "interrupt/wakeups.hpp"

namespace hyp {
namespace {

struct SgiRequest {
    std::uint32_t intid;
    bool all_but_self;        // IRM
    std::uint64_t cluster;    // affinity with Aff0 zero
    std::uint32_t first_aff0; // RS * 16
    std::uint32_t targets;    // bit n: Aff0 = first_aff0 + n

    explicit SgiRequest(std::uint64_t value)
        : intid(static_cast<std::uint32_t>(value >> 24 & 0xf)),
          all_but_self((value >> 40 & 1) != 0),
          cluster((value >> 48 & 0xff) << 32 | (value >> 32 & 0xff) << 16 |
                  (value >> 16 & 0xff) << 8),
          first_aff0(static_cast<std::uint32_t>(value >> 44 & 0xf) * 16),
          targets(static_cast<std::uint32_t>(value & 0xffff)) {}

    [[nodiscard]] bool names(std::uint64_t affinity) const {
        const auto aff0 = static_cast<std::uint32_t>(affinity & 0xff);
        return (affinity & ~std::uint64_t{0xff}) == cluster && aff0 >= first_aff0 &&
               aff0 - first_aff0 < 16 && (targets >> (aff0 - first_aff0) & 1) != 0;
    }
};

} // namespace

void Vic::send_sgi(VicCpu& from, std::uint64_t value, bool group0) {
    const SgiRequest request(value);
    Wakeups wakeups(&from);
    const rt::LockGuard guard(lock_);
    for (unsigned n = 0; n < max_vcpus_; n++) {
        VicCpu* cpu = cpus_[n];
        if (cpu == nullptr ||
            !(request.all_but_self ? cpu != &from : request.names(cpu->affinity_))) {
            continue;
        }
        Virq& irq = cpu->private_[request.intid];
        if (irq.group0 == group0) {
            irq.latch = true;
            update(irq, wakeups);
        }
    }
}

} // namespace hyp
