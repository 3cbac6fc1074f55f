// SPDX-License-Identifier: BSD-3-Clause
// Interrupts without end: SGIs of both vCPUs to all, timers that are always due.
#include "hostile/program/attacks.hpp"
#include "machine/mmio.hpp"

namespace test::hostile {

namespace {

constexpr std::uint64_t virtual_timer_ppi = 27;
constexpr std::uint64_t physical_timer_ppi = 30;

std::uint64_t redistributor(unsigned cpu) {
    return guest_redistributors + cpu * 0x20000ULL;
}

std::uint64_t counter() {
    isb();
    return READ_SYSREG(cntvct_el0);
}

void unmask() {
    asm volatile("msr daifclr, #2" : : : "memory");
}
void mask() {
    asm volatile("msr daifset, #2" : : : "memory");
}

/// Spins, interrupts unmasked, until as many more came, or too long a time passed.
bool await_interrupts(const Attacker& attacker, std::uint64_t more) {
    const std::uint64_t wanted = interrupts_taken(attacker.cpu) + more;
    const std::uint64_t end = counter() + 10 * READ_SYSREG(cntfrq_el0);
    unmask();
    while (interrupts_taken(attacker.cpu) < wanted && counter() < end) {
    }
    mask();
    return interrupts_taken(attacker.cpu) >= wanted;
}

void send(std::uint64_t value) {
    dsb();
    WRITE_SYSREG(s3_0_c12_c11_5, value);
    isb();
}

void disturb(Attacker& attacker, std::uint64_t random) {
    const std::uint64_t frame = redistributor(attacker.cpu) + 0x10000;
    const auto bits = static_cast<std::uint32_t>(random >> 16 & 0xffff);
    switch (random >> 8 & 15) {
    case 0:
        mmio::write32(frame + 0x180, bits); // ICENABLER0
        break;
    case 1:
        mmio::write32(frame + 0x100, 0xffff); // ISENABLER0
        break;
    case 2:
        mmio::write32(frame + 0x280, bits); // ICPENDR0
        break;
    case 3:
        mmio::write32(frame + 0x200, bits); // ISPENDR0
        break;
    case 4:
        mmio::write32(frame + 0x300, bits); // ISACTIVER0
        break;
    case 5:
        mmio::write32(frame + 0x380, ~0u); // ICACTIVER0
        break;
    case 6:
        mmio::write32(frame + 0x400 + (random >> 32 & 12), static_cast<std::uint32_t>(random));
        break;
    case 7:
        WRITE_SYSREG(s3_0_c12_c12_4, random >> 32 & 2); // EOImode
        break;
    case 8:
        WRITE_SYSREG(s3_0_c4_c6_0, random >> 32 & 0xff); // PMR
        break;
    case 9:
        WRITE_SYSREG(s3_0_c12_c12_3, random >> 32 & 7); // BPR1
        break;
    case 10:
        WRITE_SYSREG(s3_0_c12_c12_7, random >> 32 & 1); // IGRPEN1
        break;
    case 12:
        mmio::write32(frame + 0x80, bits); // IGROUPR0
        break;
    case 13:
        WRITE_SYSREG(s3_0_c12_c12_6, random >> 32 & 1);         // IGRPEN0
        WRITE_SYSREG(s3_0_c12_c11_7, random >> 24 & 0xf000003); // SGI0R
        break;
    case 11:
        mmio::write32(guest_distributor, static_cast<std::uint32_t>(random >> 32)); // GICD_CTLR
        break;
    default:
        WRITE_SYSREG(s3_0_c4_c6_0, std::uint64_t{0xff});
        WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});
        break;
    }
    isb();
}

void expect_one_sgi(Attacker& attacker) {
    reset_own_gic(attacker.cpu);
    on_interrupt(attacker.cpu, OnInterrupt::take);
    send(std::uint64_t{3} << 24 | std::uint64_t{1} << attacker.cpu);
    if (!await_interrupts(attacker, 1)) {
        attacker.report(tag("no_sgi"), interrupts_taken(attacker.cpu));
    }
}

} // namespace

void reset_own_gic(unsigned cpu) {
    const std::uint64_t frame = redistributor(cpu) + 0x10000;
    mmio::write32(guest_distributor, 1u << 4 | 1u << 1);
    mmio::write32(redistributor(cpu) + 0x14, 0); // GICR_WAKER
    for (std::uint64_t word = 1; word < 32; ++word) {
        mmio::write32(guest_distributor + 0x80 + 4 * word, ~0u); // all in Group 1
        mmio::write32(guest_distributor + 0x180 + 4 * word, ~0u);
        mmio::write32(guest_distributor + 0x280 + 4 * word, ~0u);
        mmio::write32(guest_distributor + 0x380 + 4 * word, ~0u);
    }
    for (const std::uint64_t clear : {0x80, 0x180, 0x280, 0x380}) {
        mmio::write32(frame + clear, ~0u);
    }
    for (std::uint64_t n = 0; n < 32; n += 4) {
        mmio::write32(frame + 0x400 + n, 0xa0a0a0a0);
    }
    mmio::write32(frame + 0x100, 0xffff);
    WRITE_SYSREG(s3_0_c12_c12_5, std::uint64_t{7});
    isb();
    WRITE_SYSREG(s3_0_c12_c12_4, std::uint64_t{0});
    WRITE_SYSREG(s3_0_c12_c12_3, std::uint64_t{0});
    // Whatever an earlier attack left active is ended: EOIR drops the highest priority each time.
    for (unsigned n = 0; n < 256 && READ_SYSREG(s3_0_c12_c11_3) != 0xff; ++n) {
        WRITE_SYSREG(s3_0_c12_c12_1, std::uint64_t{n % 16});
        isb();
    }
    WRITE_SYSREG(s3_0_c4_c6_0, std::uint64_t{0xff});
    WRITE_SYSREG(s3_0_c12_c12_7, std::uint64_t{1});
    isb();
}

void sgi_storm(Attacker& attacker) {
    reset_own_gic(attacker.cpu);
    on_interrupt(attacker.cpu, OnInterrupt::take);
    for (std::uint64_t i = 0; i < 5'000 * attacker.box.rounds; ++i) {
        const std::uint64_t random = attacker.random();
        const std::uint64_t intid = (random & 15) << 24;
        switch (random >> 4 & 3) {
        case 0:
            send(intid | std::uint64_t{1} << 40); // to all others
            break;
        case 1:
            send(intid | 3); // to both
            break;
        case 2:
            send(random & 0xffff'ffff'ffff); // anywhere
            break;
        default:
            disturb(attacker, random);
            break;
        }
        if ((random >> 6 & 3) == 0) {
            unmask();
            isb();
            mask();
        }
        attacker.step();
    }
    expect_one_sgi(attacker);
}

namespace {

void set_virtual(std::uint64_t compare, std::uint64_t control) {
    WRITE_SYSREG(cntv_cval_el0, compare);
    WRITE_SYSREG(cntv_ctl_el0, control);
    isb();
}

void expect_status(Attacker& attacker, std::uint64_t compare, bool met) {
    set_virtual(compare, 3); // masked: the condition alone
    if (((READ_SYSREG(cntv_ctl_el0) & 4) != 0) != met) {
        attacker.report(tag("istatus"), compare, counter());
    }
}

void always_due(Attacker& attacker) {
    const std::uint64_t count = 500 * attacker.box.rounds;
    interrupts_until_stop(attacker.cpu, count);
    set_virtual(0, 1);
    if (!await_interrupts(attacker, count)) {
        attacker.report(tag("storm"), interrupts_taken(attacker.cpu), count);
    }
    interrupts_until_stop(attacker.cpu, count);
    WRITE_SYSREG(cntp_cval_el0, std::uint64_t{0});
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{1});
    isb();
    if (!await_interrupts(attacker, count)) {
        attacker.report(tag("pstorm"), interrupts_taken(attacker.cpu), count);
    }
}

/// Sleeps as often as it is woken in time by a timer that was set right before.
void sleep_and_wake(Attacker& attacker) {
    const std::uint64_t millisecond = READ_SYSREG(cntfrq_el0) / 1000;
    for (unsigned i = 0; i < 50; ++i) {
        const std::uint64_t at = counter() + attacker.random() % millisecond;
        interrupts_until_stop(attacker.cpu, 1);
        set_virtual(at, 1);
        while ((READ_SYSREG(cntv_ctl_el0) & 5) == 1) {
            asm volatile("dsb sy\n\twfi" : : : "memory");
        }
        if (counter() < at) {
            attacker.report(tag("early"), at, counter());
        }
        (void)await_interrupts(attacker, 1);
        attacker.step();
    }
}

void fuzz(Attacker& attacker) {
    unmask();
    for (std::uint64_t i = 0; i < 5'000 * attacker.box.rounds; ++i) {
        const std::uint64_t random = attacker.random();
        const std::uint64_t near = counter() + (random >> 8 & 0xfff) - 0x400;
        const std::uint64_t value = (random & 1) != 0 ? near : attacker.edge();
        switch (random >> 4 & 7) {
        case 0:
            WRITE_SYSREG(cntv_cval_el0, value);
            break;
        case 1:
            WRITE_SYSREG(cntv_tval_el0, value);
            break;
        case 2:
            WRITE_SYSREG(cntv_ctl_el0, random >> 32);
            break;
        case 3:
            WRITE_SYSREG(cntp_cval_el0, value);
            break;
        case 4:
            WRITE_SYSREG(cntp_tval_el0, value);
            break;
        case 5:
            WRITE_SYSREG(cntp_ctl_el0, random >> 32);
            break;
        default:
            WRITE_SYSREG(cntkctl_el1, random >> 32);
            break;
        }
        isb();
        attacker.step();
    }
    mask();
}

} // namespace

void timers(Attacker& attacker) {
    reset_own_gic(attacker.cpu);
    const std::uint64_t frame = redistributor(attacker.cpu) + 0x10000;
    mmio::write32(frame + 0x100, 1u << virtual_timer_ppi | 1u << physical_timer_ppi);
    on_interrupt(attacker.cpu, OnInterrupt::take);
    expect_status(attacker, 0, true);
    expect_status(attacker, counter(), true);
    expect_status(attacker, ~std::uint64_t{0}, false);
    expect_status(attacker, std::uint64_t{1} << 63, false); // unsigned: far ahead
    expect_status(attacker, counter() + (std::uint64_t{1} << 40), false);
    always_due(attacker);
    sleep_and_wake(attacker);
    fuzz(attacker);
    reset_own_state();
    reset_own_gic(attacker.cpu);
}

} // namespace test::hostile
