// SPDX-License-Identifier: BSD-3-Clause
// Interrupts on their way: SGIs, software-pended SPIs, masks, priorities, both EOI modes.
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/gic.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"

namespace test {

namespace {

constexpr std::uint32_t spi = 42; // no devices of QEMU's board
constexpr std::uint32_t other_spi = 43;
constexpr std::uint64_t patience_ms = 2000;
constexpr std::uint64_t silence_ms = 30;

std::uint64_t self() {
    return board().mpidr[this_cpu()];
}

/// Long enough that an interrupt that should not come would have come.
void stay_silent(std::uint32_t intid, std::uint32_t count, const char* why) {
    (void)wait_until(silence_ms, [] { return false; });
    if (interrupt_count(intid) != count) {
        fail("interrupt {} came although {}", intid, why);
    }
}

void await(std::uint32_t intid, std::uint32_t count) {
    if (!wait_until(patience_ms, [&] { return interrupt_count(intid) >= count; })) {
        fail("interrupt {} arrived {} times instead of {}", intid, interrupt_count(intid), count);
    }
    expect_equal("times it arrived", interrupt_count(intid), count);
}

void sgi_to_self() {
    for (unsigned sgi = 0; sgi < 16; ++sgi) {
        allow_interrupt(sgi);
        for (std::uint32_t round = 1; round <= 5; ++round) {
            gic::send_sgi(sgi, self());
            await(sgi, round);
        }
    }
}

void sgi_to_another_cpu() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        turn_on(cpu);
        allow_interrupt(7);
        for (std::uint32_t round = 1; round <= 20; ++round) {
            const std::uint32_t seen = interrupt_count_on(cpu, 7);
            gic::send_sgi(7, board().mpidr[cpu]);
            if (!wait_until(patience_ms, [&] { return interrupt_count_on(cpu, 7) > seen; })) {
                fail("SGI 7 did not reach CPU {}", cpu);
            }
        }
        expect_equal("SGIs on the sender", interrupt_count_on(0, 7), 0);
    }
}

std::uint64_t send_back(std::uint64_t rounds) {
    for (std::uint32_t round = 0; round < rounds; ++round) {
        if (!wait_until(patience_ms, [&] { return interrupt_count_on(1, 8) > round; })) {
            return round;
        }
        gic::send_sgi(9, board().mpidr[0]);
    }
    return rounds;
}

void sgi_ping_pong() {
    constexpr std::uint32_t rounds = 200;
    allow_interrupt(8);
    allow_interrupt(9);
    start_on(1, send_back, rounds);
    for (std::uint32_t round = 0; round < rounds; ++round) {
        gic::send_sgi(8, board().mpidr[1]);
        if (!wait_for_count(9, round, patience_ms)) {
            fail("the answer to SGI number {} did not come", round);
        }
    }
    expect_equal("rounds of the other CPU", wait_for(1, patience_ms), rounds);
}

// IRM = 1: to all but the sender.
void sgi_to_all_others() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        turn_on(cpu);
    }
    allow_interrupt(6);
    WRITE_SYSREG(s3_0_c12_c11_5, std::uint64_t{1} << 40 | std::uint64_t{6} << 24);
    isb();
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        const bool came = wait_until(patience_ms, [&] { return interrupt_count_on(cpu, 6) == 1; });
        if (!came) {
            fail("the SGI to all others did not reach CPU {}", cpu);
        }
    }
    expect_equal("on the sender", interrupt_count_on(0, 6), 0);
}

void sgi_to_nobody() {
    allow_interrupt(5);
    gic::send_sgi(5, 0xff'00ff'ff0f);
    stay_silent(5, 0, "it was sent to a CPU that does not exist");
}

void disabled_sgi() {
    allow_interrupt(4);
    gic::disable(4);
    gic::send_sgi(4, self());
    stay_silent(4, 0, "it was disabled");
    expect(gic::is_pending(4), "it is pending");
    gic::enable(4);
    await(4, 1);
}

void spi_set_pending() {
    gic::set_edge(spi, true);
    allow_interrupt(spi);
    for (std::uint32_t round = 1; round <= 20; ++round) {
        gic::set_pending(spi);
        await(spi, round);
    }
    expect(!gic::is_pending(spi), "it is no longer pending");
    expect(!gic::is_active(spi), "it is no longer active");
}

void spi_to_another_cpu() {
    turn_on(1);
    gic::set_edge(spi, true);
    allow_interrupt(spi);
    gic::route(spi, board().mpidr[1]);
    gic::set_pending(spi);
    await(spi, 1);
    expect_equal("on CPU 1", interrupt_count_on(1, spi), 1);
    gic::route(spi, board().mpidr[0]);
    gic::set_pending(spi);
    await(spi, 2);
    expect_equal("on CPU 0", interrupt_count_on(0, spi), 1);
}

void distributor_off() {
    gic::set_edge(spi, true);
    allow_interrupt(spi);
    const std::uint64_t control = gic::distributor() + gic::ctlr;
    asm volatile("str %w0, [%1]" : : "r"(1u << 4), "r"(control) : "memory");
    gic::set_pending(spi);
    stay_silent(spi, 0, "the distributor's group was off");
    asm volatile("str %w0, [%1]" : : "r"(1u << 4 | 1u << 1), "r"(control) : "memory");
    await(spi, 1);
}

void priority_mask() {
    gic::set_edge(spi, true);
    allow_interrupt(spi, nullptr, 0x80);
    gic::set_priority_mask(0x80); // only what is more urgent than the mask
    gic::set_pending(spi);
    stay_silent(spi, 0, "its priority equals the mask");
    gic::set_priority_mask(0x88);
    await(spi, 1);
    gic::set_priority_mask(0xff);
}

struct Order {
    std::uint32_t intid[4];
    unsigned count;
};
constinit Order order{};

void note_order(std::uint32_t intid) {
    if (order.count < 4) {
        order.intid[order.count++] = intid;
    }
}

void urgent_first() {
    order = {};
    allow_interrupt(1, note_order, 0xa0);
    allow_interrupt(2, note_order, 0x60);
    allow_interrupt(3, note_order, 0x80);
    {
        const MaskedInterrupts masked;
        gic::send_sgi(1, self());
        gic::send_sgi(2, self());
        gic::send_sgi(3, self());
    }
    expect(wait_until(patience_ms, [] { return order.count == 3; }), "all three arrive");
    expect_equal("first", order.intid[0], 2);
    expect_equal("second", order.intid[1], 3);
    expect_equal("third", order.intid[2], 1);
}

// While an interrupt is handled, a more urgent one is signalled, an equal one is not.
void preemption() {
    const MaskedInterrupts masked;
    allow_interrupt(1, nullptr, 0xa0);
    allow_interrupt(2, nullptr, 0x40);
    allow_interrupt(3, nullptr, 0xa0);
    gic::send_sgi(1, self());
    expect_equal("acknowledged", gic::acknowledge(), 1);
    gic::send_sgi(3, self());
    expect_equal("an equal one waits", gic::acknowledge(), gic::spurious);
    gic::send_sgi(2, self());
    expect_equal("a more urgent one does not", gic::acknowledge(), 2);
    expect_equal("running priority", gic::running_priority(), 0x40);
    gic::end_of_interrupt(2);
    expect_equal("running priority after its end", gic::running_priority(), 0xa0);
    gic::end_of_interrupt(1);
    expect_equal("then the equal one", gic::acknowledge(), 3);
    gic::end_of_interrupt(3);
    expect_equal("idle", gic::running_priority(), 0xff);
}

void end_of_interrupt_in_one_step() {
    const MaskedInterrupts masked;
    gic::set_edge(spi, true);
    allow_interrupt(spi);
    gic::set_pending(spi);
    expect(wait_until(patience_ms, [] { return READ_SYSREG(s3_0_c12_c12_2) == spi; }),
           "ICC_HPPIR1_EL1 shows it");
    expect_equal("acknowledged", gic::acknowledge(), spi);
    expect(gic::is_active(spi), "it is active");
    gic::end_of_interrupt(spi);
    expect(!gic::is_active(spi), "it is not active after EOIR");
}

void end_of_interrupt_in_two_steps() {
    const MaskedInterrupts masked;
    gic::set_split_eoi(true);
    gic::set_edge(spi, true);
    allow_interrupt(spi);
    gic::set_pending(spi);
    expect(wait_until(patience_ms, [] { return READ_SYSREG(s3_0_c12_c12_2) == spi; }),
           "ICC_HPPIR1_EL1 shows it");
    expect_equal("acknowledged", gic::acknowledge(), spi);
    gic::end_of_interrupt(spi);
    expect_equal("running priority after EOIR", gic::running_priority(), 0xff);
    expect(gic::is_active(spi), "it is still active");
    gic::set_pending(spi);
    (void)wait_until(silence_ms, [] { return false; });
    expect_equal("not signalled while active", gic::acknowledge(), gic::spurious);
    gic::deactivate(spi);
    expect(wait_until(patience_ms, [] { return READ_SYSREG(s3_0_c12_c12_2) == spi; }),
           "it is signalled again after DIR");
    expect_equal("acknowledged again", gic::acknowledge(), spi);
    gic::end_of_interrupt(spi);
    gic::deactivate(spi);
    expect(!gic::is_active(spi), "it is not active after DIR");
    gic::set_split_eoi(false);
}

// More at once than any GIC has list registers: all arrive, none twice.
void many_at_once() {
    const std::uint32_t last = gic::interrupt_lines() < 96 ? gic::interrupt_lines() : 96;
    for (std::uint32_t i = 32; i < last; ++i) {
        gic::set_edge(i, true);
    }
    for (std::uint32_t round = 1; round <= 5; ++round) {
        {
            const MaskedInterrupts masked;
            for (std::uint32_t i = 32; i < last; ++i) {
                allow_interrupt(i, nullptr, static_cast<std::uint8_t>(0x40 + (i % 8) * 0x10));
                gic::set_pending(i);
            }
            for (unsigned sgi = 0; sgi < 16; ++sgi) {
                allow_interrupt(sgi);
                gic::send_sgi(sgi, self());
            }
        }
        for (std::uint32_t i = 32; i < last; ++i) {
            await(i, round);
        }
        for (unsigned sgi = 0; sgi < 16; ++sgi) {
            await(sgi, round);
        }
    }
}

void cleared_before_delivery() {
    const MaskedInterrupts masked;
    gic::set_edge(spi, true);
    gic::set_edge(other_spi, true);
    allow_interrupt(spi);
    allow_interrupt(other_spi);
    gic::set_pending(spi);
    gic::set_pending(other_spi);
    gic::clear_pending(spi);
    expect(wait_until(patience_ms, [] { return READ_SYSREG(s3_0_c12_c12_2) == other_spi; }),
           "the other one is signalled");
    expect_equal("acknowledged", gic::acknowledge(), other_spi);
    gic::end_of_interrupt(other_spi);
    expect_equal("then nothing", gic::acknowledge(), gic::spurious);
}

void wfi_wakes_by_sgi_while_masked() {
    allow_interrupt(10);
    const MaskedInterrupts masked;
    for (int i = 0; i < 50; ++i) {
        gic::send_sgi(10, self());
        wait_for_interrupt(); // pending and masked: it ends, the interrupt is not taken
        expect_equal("acknowledged", gic::acknowledge(), 10);
        gic::end_of_interrupt(10);
    }
}

constexpr Check checks[] = {
    {"interrupt.sgi_to_self", sgi_to_self, Needs::nothing},
    {"interrupt.sgi_to_another_cpu", sgi_to_another_cpu, Needs::smp},
    {"interrupt.sgi_ping_pong", sgi_ping_pong, Needs::smp},
    {"interrupt.sgi_to_all_others", sgi_to_all_others, Needs::smp},
    {"interrupt.sgi_to_nobody", sgi_to_nobody, Needs::nothing},
    {"interrupt.disabled_sgi", disabled_sgi, Needs::nothing},
    {"interrupt.spi_set_pending", spi_set_pending, Needs::nothing},
    {"interrupt.spi_to_another_cpu", spi_to_another_cpu, Needs::smp},
    {"interrupt.distributor_off", distributor_off, Needs::nothing},
    {"interrupt.priority_mask", priority_mask, Needs::nothing},
    {"interrupt.urgent_first", urgent_first, Needs::nothing},
    {"interrupt.preemption", preemption, Needs::nothing},
    {"interrupt.eoi_in_one_step", end_of_interrupt_in_one_step, Needs::nothing},
    {"interrupt.eoi_in_two_steps", end_of_interrupt_in_two_steps, Needs::nothing},
    {"interrupt.many_at_once", many_at_once, Needs::nothing},
    {"interrupt.cleared_before_delivery", cleared_before_delivery, Needs::nothing},
    {"interrupt.wfi_wakes_while_masked", wfi_wakes_by_sgi_while_masked, Needs::nothing},
};

} // namespace

std::span<const Check> gic_delivery_checks() {
    return checks;
}

} // namespace test
