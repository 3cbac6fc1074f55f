// SPDX-License-Identifier: BSD-3-Clause
// Virtual interrupts of the VM's own making, polled for with interrupts masked.
#include "measure.hpp"
#include "rows.hpp"

#include "check/watchdog.hpp"
#include "machine/gic.hpp"
#include "machine/interrupts.hpp"
#include "machine/timer.hpp"

namespace bench {

namespace {

using test::Check;
namespace gic = test::gic;

// ICC_IAR1_EL1, ICC_EOIR1_EL1 and ICC_SGI1R_EL1 without what a driver does around them.
[[gnu::always_inline]] inline std::uint64_t acknowledge_one() {
    for (;;) {
        if (const std::uint64_t intid = READ_SYSREG(s3_0_c12_c12_0); intid != gic::spurious) {
            return intid;
        }
    }
}

[[gnu::always_inline]] inline void end_of_interrupt(std::uint64_t intid) {
    WRITE_SYSREG(s3_0_c12_c12_1, intid);
    test::isb();
}

void sgi_to_self() {
    constexpr std::uint64_t sgi = 3;
    const std::uint64_t aff0 = test::board().mpidr[0] & 0xff; // CPU 0: the other fields are 0
    const std::uint64_t value = sgi << 24 | std::uint64_t{1} << aff0;
    gic::enable(sgi);
    const test::MaskedInterrupts masked;
    row("irq.sgi_to_self", [=] {
        WRITE_SYSREG(s3_0_c12_c11_5, value);
        test::isb();
        end_of_interrupt(acknowledge_one());
    });
}

void virtual_timer() {
    test::watchdog_uses(test::WatchdogTimer::physical_timer);
    gic::enable(test::virtual_timer().intid());
    const test::MaskedInterrupts masked;
    row("irq.virtual_timer", [] {
        WRITE_SYSREG(cntv_cval_el0, std::uint64_t{0});
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{1});
        test::isb();
        const std::uint64_t intid = acknowledge_one();
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
        end_of_interrupt(intid);
    });
}

constexpr Check rows[] = {
    {"bench.sgi_to_self", sgi_to_self},
    {"bench.virtual_timer", virtual_timer},
};

} // namespace

std::span<const Check> interrupt_rows() {
    return rows;
}

} // namespace bench
