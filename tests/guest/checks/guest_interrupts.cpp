// SPDX-License-Identifier: BSD-3-Clause
// Interrupts of the created VM: the doorbell, its own timer and SGIs, and how they wake it.
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "vm/guest.hpp"

namespace test {

namespace {

constexpr std::uint64_t spurious = 1023;
constexpr std::uint64_t all_flags = ~std::uint64_t{0};

void boot_with_interrupts() {
    guest().create_and_boot();
    guest().execute(0, Operation::gic_begin);
    guest().execute(0, Operation::gic_enable, {guest_bell_spi});
    // As irqfd does for level-less interrupts of VMMs: each ring acknowledges itself.
    const auto error = hypercall(GH_DOORBELL_MASK, guest().bell_cap(), all_flags, all_flags).error;
    expect_equal("doorbell_mask by its sender", static_cast<std::uint64_t>(error), GH_ERROR_OK);
}

std::uint64_t acknowledge(unsigned vcpu = 0) {
    return guest().execute(vcpu, Operation::gic_acknowledge).result[0];
}

void end_of(std::uint64_t intid, unsigned vcpu = 0) {
    guest().execute(vcpu, Operation::gic_end, {intid});
}

void expect_asleep(unsigned vcpu) {
    const VcpuExit exit = guest().run(vcpu);
    if (exit.state != GH_VCPU_STATE_EXPECTS_WAKEUP) {
        fail("vcpu_run state {x} (data {x} {x}), expected EXPECTS_WAKEUP", exit.state, exit.data[0],
             exit.data[1]);
    }
    expect_equal("sleep type", exit.data[0], 0);
}

void doorbell() {
    boot_with_interrupts();
    for (int round = 0; round < 20; ++round) {
        expect_equal("before", acknowledge(), spurious);
        guest().ring();
        expect_equal("after", acknowledge(), guest_bell_spi);
        end_of(guest_bell_spi);
    }
    guest().finish();
}

// Rung twice before the VM looks: one edge.
void doorbell_edges_join() {
    boot_with_interrupts();
    guest().ring();
    guest().ring();
    expect_equal("first", acknowledge(), guest_bell_spi);
    end_of(guest_bell_spi);
    expect_equal("second", acknowledge(), spurious);
    guest().finish();
}

void doorbell_while_active() {
    boot_with_interrupts();
    guest().ring();
    expect_equal("first", acknowledge(), guest_bell_spi);
    guest().ring();
    expect_equal("not while it is active", acknowledge(), spurious);
    end_of(guest_bell_spi);
    expect_equal("but afterwards", acknowledge(), guest_bell_spi);
    end_of(guest_bell_spi);
    guest().finish();
}

void doorbell_flags() {
    boot_with_interrupts();
    const std::uint64_t cap = guest().bell_cap();
    // No acknowledgement of its own: the flags stay and are returned by the next send.
    (void)hypercall(GH_DOORBELL_MASK, cap, 0, 0);
    HypercallResult result = hypercall(GH_DOORBELL_SEND, cap, 0x5);
    expect_equal("old flags", result.x1, 0);
    result = hypercall(GH_DOORBELL_SEND, cap, 0x8);
    expect_equal("old flags", result.x1, 0x5);
    expect_equal("masked flags do not interrupt", acknowledge(), spurious);
    // The VM's device tree says source-can-clear.
    result = hypercall(GH_DOORBELL_RECEIVE, cap, 0x4);
    expect_equal("doorbell_receive", static_cast<std::uint64_t>(result.error), GH_ERROR_OK);
    expect_equal("old flags", result.x1, 0xd);
    expect_equal("nothing to clear",
                 static_cast<std::uint64_t>(hypercall(GH_DOORBELL_RECEIVE, cap, 0).error),
                 GH_ERROR_ARG_INVAL);
    (void)hypercall(GH_DOORBELL_MASK, cap, 0x8, all_flags);
    expect_equal("unmasking interrupts", acknowledge(), guest_bell_spi);
    end_of(guest_bell_spi);
    guest().finish();
}

// The vCPU sleeps, the bell wakes it: our wake-up interrupt comes, then it runs on.
void wakeup_by_doorbell() {
    boot_with_interrupts();
    const std::uint32_t irq = guest().wakeup_irq(0);
    for (int round = 0; round < 50; ++round) {
        guest().prepare(0, Operation::sleep);
        expect_asleep(0);
        expect_asleep(0); // still
        const std::uint32_t seen = interrupt_count(irq);
        guest().ring();
        if (!wait_for_count(irq, seen, 3000)) {
            fail("round {}: no wake-up interrupt", round);
        }
        guest().run_to_signal(0);
        expect_equal("acknowledged", acknowledge(), guest_bell_spi);
        end_of(guest_bell_spi);
    }
    guest().finish();
}

// Our extension of doorbell_send: we are told whom it woke, and not interrupted for that.
void wakeup_told_by_doorbell() {
    boot_with_interrupts();
    const std::uint32_t irq = guest().wakeup_irq(0);
    for (int round = 0; round < 50; ++round) {
        guest().prepare(0, Operation::sleep);
        expect_asleep(0);
        const std::uint32_t seen = interrupt_count(irq);
        expect_equal("woken by the first ring", guest().ring_and_tell(), 1);
        expect_equal("woken by the second one", guest().ring_and_tell(), 0);
        expect_equal("wake-up interrupts", interrupt_count(irq), seen);
        guest().run_to_signal(0);
        expect_equal("acknowledged", acknowledge(), guest_bell_spi);
        end_of(guest_bell_spi);
    }
    guest().finish();
}

// The interrupt is there before the vCPU sleeps: it must not.
void no_sleep_with_a_pending_interrupt() {
    boot_with_interrupts();
    for (int round = 0; round < 50; ++round) {
        guest().prepare(0, Operation::sleep);
        guest().ring();
        guest().run_to_signal(0);
        expect_equal("acknowledged", acknowledge(), guest_bell_spi);
        end_of(guest_bell_spi);
    }
    guest().finish();
}

// Rung from another CPU at any moment around the WFI; no wake-up may be lost.
std::uint64_t ring_often(std::uint64_t rounds) {
    for (std::uint64_t round = 0; round < rounds; ++round) {
        const std::uint64_t target = round + 1;
        const Deadline deadline = Deadline::after_ms(3000);
        volatile std::uint64_t& served = guest().mailbox(1).argument[7]; // ours: vCPU 1 is off
        while (served < target - 1) {
            if (deadline.passed()) {
                return round;
            }
        }
        for (std::uint64_t delay = 0; delay < round * 37 % 2000; ++delay) {
            asm volatile("yield");
        }
        guest().ring();
    }
    return rounds;
}

void no_wakeup_is_lost() {
    constexpr std::uint64_t rounds = 300;
    boot_with_interrupts();
    const std::uint32_t irq = guest().wakeup_irq(0);
    volatile std::uint64_t& served = guest().mailbox(1).argument[7];
    served = 0;
    start_on(1, ring_often, rounds);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        guest().prepare(0, Operation::sleep);
        for (;;) {
            const std::uint32_t seen = interrupt_count(irq);
            const VcpuExit exit = guest().run(0);
            if (exit.state != GH_VCPU_STATE_EXPECTS_WAKEUP) {
                break; // its signal
            }
            if (!wait_for_count(irq, seen, 3000)) {
                fail("round {}: asleep, the bell was rung, no wake-up interrupt", round);
            }
        }
        expect_equal("acknowledged", acknowledge(), guest_bell_spi);
        end_of(guest_bell_spi);
        served = round + 1;
    }
    expect_equal("rings", wait_for(1, 3000), rounds);
    guest().finish();
}

void timer_wakes_the_vm() {
    boot_with_interrupts();
    constexpr std::uint64_t timer_ppi = 27;
    const std::uint32_t irq = guest().wakeup_irq(0);
    guest().execute(0, Operation::gic_enable, {timer_ppi});
    unsigned slept = 0;
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t at = now() + ticks_of_ms(50);
        guest().execute(0, Operation::start_timer, {ticks_of_ms(50)});
        guest().prepare(0, Operation::sleep);
        const std::uint32_t seen = interrupt_count(irq);
        VcpuExit exit = guest().run(0);
        if (exit.state == GH_VCPU_STATE_EXPECTS_WAKEUP) {
            ++slept;
            if (!wait_for_count(irq, seen, 3000)) {
                fail("round {}: the timer does not raise the wake-up interrupt", round);
            }
            exit = guest().run(0);
        }
        expect_equal("state", exit.state, GH_VCPU_STATE_VMMIO_WRITE);
        expect(now() >= at, "it does not wake before its time");
        expect_equal("acknowledged", acknowledge(), timer_ppi);
        guest().execute(0, Operation::stop_timer);
        end_of(timer_ppi);
        expect_equal("then nothing", acknowledge(), spurious);
    }
    expect(slept > 0, "it slept at least once before the timer fired");
    guest().finish();
}

void timer_while_running() {
    boot_with_interrupts();
    constexpr std::uint64_t timer_ppi = 27;
    guest().execute(0, Operation::gic_enable, {timer_ppi});
    guest().execute(0, Operation::start_timer, {0});
    expect(wait_until(3000, [] { return acknowledge() == timer_ppi; }), "the timer interrupts");
    guest().execute(0, Operation::stop_timer);
    end_of(timer_ppi);
    expect_equal("then nothing", acknowledge(), spurious);
    guest().finish();
}

void sgi_between_vcpus() {
    boot_with_interrupts();
    const std::uint64_t entry = guest().mailbox(0).secondary_entry;
    guest().execute(0, Operation::call_hvc, {0xc4000003, 1, entry, 0});
    guest().run_to_signal(1);
    guest().execute(1, Operation::gic_begin);
    const std::uint32_t irq = guest().wakeup_irq(1);
    for (int round = 0; round < 20; ++round) {
        guest().prepare(1, Operation::sleep);
        expect_asleep(1);
        const std::uint32_t seen = interrupt_count(irq);
        guest().execute(0, Operation::send_sgi, {std::uint64_t{3} << 24 | 1u << 1});
        expect(wait_for_count(irq, seen, 3000), "the SGI raises the other's wake-up interrupt");
        guest().run_to_signal(1);
        expect_equal("acknowledged", acknowledge(1), 3);
        end_of(3, 1);
        expect_equal("on the sender", acknowledge(0), spurious);
    }
    guest().finish();
}

// WFI with nothing enabled at all still wakes for a forced stop.
void stop_of_a_sleeper() {
    guest().create_and_boot();
    guest().prepare(0, Operation::sleep);
    expect_asleep(0);
    guest().finish();
}

constexpr Check checks[] = {
    {"guest_irq.doorbell", doorbell},
    {"guest_irq.doorbell_edges_join", doorbell_edges_join},
    {"guest_irq.doorbell_while_active", doorbell_while_active},
    {"guest_irq.doorbell_flags", doorbell_flags},
    {"guest_irq.wakeup_by_doorbell", wakeup_by_doorbell},
    {"guest_irq.wakeup_told_by_doorbell", wakeup_told_by_doorbell, Needs::hypervisor},
    {"guest_irq.no_sleep_with_a_pending_interrupt", no_sleep_with_a_pending_interrupt},
    {"guest_irq.no_wakeup_is_lost", no_wakeup_is_lost, Needs::hypervisor_smp, 60'000},
    {"guest_irq.timer_wakes_the_vm", timer_wakes_the_vm, Needs::hypervisor, 30'000},
    {"guest_irq.timer_while_running", timer_while_running},
    {"guest_irq.sgi_between_vcpus", sgi_between_vcpus},
    {"guest_irq.stop_of_a_sleeper", stop_of_a_sleeper},
};

} // namespace

std::span<const Check> guest_interrupt_checks() {
    return checks;
}

} // namespace test
