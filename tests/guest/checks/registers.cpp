// SPDX-License-Identifier: BSD-3-Clause
// What a call must leave alone: registers of the caller, in all their sorts.
#include "calls/hypercall.hpp"
#include "calls/psci.hpp"
#include "calls/register_image.hpp"
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "machine/system_image.hpp"
#include "machine/timer.hpp"

namespace test {

namespace {

constinit RegisterImage before{};
constinit RegisterImage after{};

void expect_preserved(std::uint64_t function, unsigned first_compared) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        fill_pattern(before, seed);
        before.x[0] = function;
        execute_hvc(&before, &after);
        const int difference = first_difference(before, after, first_compared);
        if (difference >= 0) {
            fail("function {x} changed register {} (0..30 x, 31 FPCR, 32 FPSR, 33.. v)", function,
                 difference);
        }
    }
}

// SMCCC 1.1 and later: only results change, x4 to x17 are preserved too (DEN0028, 2.6). Four
// results at most, a Gunyah call with more keeps x18 and up in any case.
void by_smccc_call() {
    expect_preserved(psci::version, 1);
    expect_preserved(0x80000000, 1);
}

void by_hypercall() {
    expect_preserved(GH_SMCCC_BASE + GH_HYPERVISOR_IDENTIFY, 4);
    expect_preserved(GH_SMCCC_LAST, 4);
}

void by_failed_hypercall() {
    expect_preserved(GH_SMCCC_BASE + GH_DOORBELL_SEND, 5);
    expect_preserved(GH_SMCCC_BASE + GH_VCPU_RUN, 5);
}

// A time without the CPU: another VM (the Resource Manager) or EL2's idle loop has it meanwhile.
void by_suspend() {
    allow_interrupt(physical_timer().intid(), [](std::uint32_t) { physical_timer().stop(); });
    fill_pattern(before, 77);
    before.x[0] = psci::cpu_suspend_64;
    before.x[1] = 0;
    const std::uint32_t seen = interrupt_count(physical_timer().intid());
    physical_timer().start_at(now() + ticks_of_ms(30));
    execute_hvc(&before, &after);
    const int difference = first_difference(before, after, 1);
    expect(difference < 0, "registers are as before CPU_SUSPEND");
    expect(wait_for_count(physical_timer().intid(), seen, 2000), "the timer interrupt arrives");
}

void system_registers_survive(void (*action)()) {
    const MaskedInterrupts masked; // an exception here would use ELR and the like
    const SystemImage saved = read_system_registers();
    const SystemImage wanted = fill_system_registers(5);
    action();
    const SystemImage got = read_system_registers();
    write_system_registers(saved);
    const std::string_view changed = first_difference(wanted, got);
    if (!changed.empty()) {
        fail("{} changed", changed);
    }
}

void system_registers_by_call() {
    system_registers_survive([] { hvc(GH_SMCCC_BASE + GH_HYPERVISOR_IDENTIFY); });
}

void system_registers_by_sleep() {
    physical_timer().start_at(now() + ticks_of_ms(30));
    allow_interrupt(physical_timer().intid(), [](std::uint32_t) { physical_timer().stop(); });
    system_registers_survive([] {
        while (!physical_timer().condition_met()) {
            wait_for_interrupt();
        }
    });
    expect(wait_for_count(physical_timer().intid(), 0, 2000), "the timer interrupt arrives");
}

// What was written is what is read, not what another context left.
void pointer_keys_are_kept() {
    if (!has_pointer_authentication()) {
        skip("the CPU has no pointer authentication");
    }
    system_registers_survive([] {
        for (int i = 0; i < 100; ++i) {
            hvc(psci::version);
        }
    });
}

constexpr Check checks[] = {
    {"registers.smccc_call", by_smccc_call, Needs::nothing},
    {"registers.hypercall", by_hypercall},
    {"registers.failed_hypercall", by_failed_hypercall},
    {"registers.suspend", by_suspend},
    {"registers.system_registers_over_a_call", system_registers_by_call},
    {"registers.system_registers_over_a_sleep", system_registers_by_sleep, Needs::nothing},
    {"registers.pointer_keys", pointer_keys_are_kept, Needs::nothing},
};

} // namespace

std::span<const Check> register_checks() {
    return checks;
}

} // namespace test
