// SPDX-License-Identifier: BSD-3-Clause
// Performance counters (FEAT_PMUv3): they count, overflow into an interrupt, and are each VM's own.
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "vm/guest.hpp"

namespace test {

namespace {

constexpr std::uint32_t overflow_ppi = 23;
constexpr std::uint64_t cycle_counter = 1ull << 31; // its bit in PMCNTENSET_EL0 and its kin
constexpr std::uint64_t pmcr_enable = 1;
constexpr std::uint64_t pmcr_long_cycles = 1u << 6;

void require_counters() {
    const std::uint64_t version = READ_SYSREG(id_aa64dfr0_el1) >> 8 & 0xf;
    if (version == 0 || version == 0xf) {
        skip("the CPU has no performance counters");
    }
}

/// Counters as a check finds them: stopped, whatever an earlier one did.
void stop_counters() {
    WRITE_SYSREG(pmcr_el0, pmcr_long_cycles);
    WRITE_SYSREG(pmcntenclr_el0, std::uint64_t{0xffffffff});
    WRITE_SYSREG(pmintenclr_el1, std::uint64_t{0xffffffff});
    WRITE_SYSREG(pmovsclr_el0, std::uint64_t{0xffffffff});
    WRITE_SYSREG(pmccfiltr_el0, std::uint64_t{0});
    isb();
}

void count_cycles() {
    WRITE_SYSREG(pmcntenset_el0, cycle_counter);
    WRITE_SYSREG(pmcr_el0, pmcr_long_cycles | pmcr_enable);
    isb();
}

void burn(std::uint64_t ms) {
    const std::uint64_t end = now() + ticks_of_ms(ms);
    while (now() < end) {
    }
}

void cycles_are_counted() {
    require_counters();
    stop_counters();
    WRITE_SYSREG(pmccntr_el0, std::uint64_t{1000});
    isb();
    expect_equal("a stopped counter", READ_SYSREG(pmccntr_el0), 1000);
    count_cycles();
    burn(5);
    const std::uint64_t first = READ_SYSREG(pmccntr_el0);
    expect(first > 1000, "cycles are counted");
    stop_counters();
    const std::uint64_t stopped = READ_SYSREG(pmccntr_el0);
    burn(2);
    expect_equal("a counter stopped again", READ_SYSREG(pmccntr_el0), stopped);
}

void overflow_is_an_interrupt() {
    require_counters();
    if (!board().has_pmu) {
        skip("the board has no interrupt of the counters");
    }
    stop_counters();
    allow_interrupt(overflow_ppi, [](std::uint32_t) { stop_counters(); });
    // At 1 GHz, as QEMU has it, in 10 ms; but not while this CPU sleeps.
    WRITE_SYSREG(pmccntr_el0, ~std::uint64_t{0} - 10'000'000);
    WRITE_SYSREG(pmintenset_el1, cycle_counter);
    count_cycles();
    for (unsigned n = 0; n < 300 && interrupt_count(overflow_ppi) == 0; ++n) {
        burn(10);
    }
    burn(20);
    expect_equal("interrupts", interrupt_count(overflow_ppi), 1);
}

void other_cpus_count_for_themselves() {
    require_counters();
    stop_counters();
    WRITE_SYSREG(pmccntr_el0, std::uint64_t{42});
    isb();
    turn_on(1);
    const auto count_there = [](std::uint64_t) {
        stop_counters();
        WRITE_SYSREG(pmccntr_el0, std::uint64_t{7'000'000'000});
        count_cycles();
        return READ_SYSREG(pmccntr_el0);
    };
    expect(run_on(1, count_there, 0) >= 7'000'000'000, "it counts there");
    expect_equal("our counter", READ_SYSREG(pmccntr_el0), 42);
    turn_off(1);
}

// Ours count on while another VM's are in the hardware, and nobody sees the other's numbers.
void are_kept_apart() {
    require_counters();
    stop_counters();
    WRITE_SYSREG(pmevcntr0_el0, std::uint64_t{0x1234567});
    WRITE_SYSREG(pmccntr_el0, std::uint64_t{1} << 60);
    count_cycles();
    guest().create_with("pmu");
    const Mailbox& box = guest().execute(0, Operation::swap_counters, {1u << 30});
    expect_equal("exceptions", box.exceptions, 0);
    expect_equal("PMCCNTR_EL0 of a new VM", box.result[0], 0);
    expect_equal("PMEVCNTR0_EL0 of a new VM", box.result[1], 0);
    const std::uint64_t between = READ_SYSREG(pmccntr_el0);
    expect(between >> 60 == 1 && (between << 4) >> 44 == 0, "our cycles go on");
    const Mailbox& again = guest().execute(0, Operation::swap_counters, {0});
    expect(again.result[0] > 1u << 30, "the VM's cycles go on");
    expect_equal("the VM's counter", again.result[1], 1u << 30);
    expect_equal("our counter", READ_SYSREG(pmevcntr0_el0) & 0xffffffff, 0x1234567);
    stop_counters();
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

constexpr Check checks[] = {
    {"pmu.cycles_are_counted", cycles_are_counted, Needs::nothing},
    {"pmu.overflow_is_an_interrupt", overflow_is_an_interrupt, Needs::nothing},
    {"pmu.other_cpus_count_for_themselves", other_cpus_count_for_themselves, Needs::smp},
    {"pmu.are_kept_apart", are_kept_apart},
};

} // namespace

std::span<const Check> pmu_checks() {
    return checks;
}

} // namespace test
