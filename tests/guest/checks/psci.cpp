// SPDX-License-Identifier: BSD-3-Clause
// PSCI as Linux and firmware know it (Arm DEN0022): versions, other CPUs on and off, standby.
#include "calls/psci.hpp"

#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "machine/timer.hpp"

namespace test {

namespace {

constexpr std::uint64_t no_such_cpu = 0x12'00ab'cdef;

void version() {
    expect_equal("PSCI_VERSION", hvc(psci::version).x[0], 0x10001);
}

void version_by_smc() {
    expect_equal("PSCI_VERSION by SMC", smc(psci::version).x[0], 0x10001);
}

void features() {
    for (const std::uint32_t function :
         {psci::version, psci::cpu_off_32, psci::cpu_on_64, psci::affinity_info_64,
          psci::cpu_suspend_64, psci::system_off_32, psci::system_reset_32, psci::features}) {
        const auto result = static_cast<std::int64_t>(hvc(psci::features, function).x[0]);
        if (result < 0) {
            fail("PSCI_FEATURES({x}) = {}", function, result);
        }
    }
    expect_equal("PSCI_FEATURES(unknown)", hvc(psci::features, 0x8400001d).x[0] & 0xffffffff,
                 0xffffffff);
}

void no_trusted_os() {
    expect_equal("MIGRATE_INFO_TYPE", hvc(psci::migrate_info_type).x[0], 2);
}

void unknown_function() {
    expect_equal("0x8400001e", hvc(0x8400001e).x[0] & 0xffffffff, 0xffffffff);
}

void self_is_on() {
    const std::uint64_t self = board().mpidr[0];
    expect_equal("AFFINITY_INFO of itself",
                 static_cast<std::uint64_t>(psci::affinity_info(self, 0)), psci::affinity_on);
    const std::int64_t result = psci::cpu_on(self, cpu_entry_point(), cpu_context(0));
    if (result != psci::already_on) {
        fail("CPU_ON of itself gave {}", result);
    }
}

void invalid_parameters() {
    if (const auto result = psci::cpu_on(no_such_cpu, cpu_entry_point(), 0);
        result != psci::invalid_parameters) {
        fail("CPU_ON of an unknown CPU gave {}", result);
    }
    if (const auto result = psci::affinity_info(no_such_cpu, 0);
        result != psci::invalid_parameters) {
        fail("AFFINITY_INFO of an unknown CPU gave {}", result);
    }
    if (const auto result = psci::affinity_info(board().mpidr[0], 4);
        result != psci::invalid_parameters) {
        fail("AFFINITY_INFO at level 4 gave {}", result);
    }
}

void refusals() {
    const auto to = cpu_count() > 1 ? board().mpidr[1] : board().mpidr[0];
    if (const auto result = psci::cpu_on(to, cpu_entry_point() + 2, 0); result != -9) {
        fail("CPU_ON at an odd address gave {}", result);
    }
    expect_equal("CPU_SUSPEND with reserved bits", hvc(psci::cpu_suspend_64, 1u << 17).x[0], -2ull);
    for (const std::uint32_t function : {0x84000013u, 0x84000014u}) {
        expect_equal("MEM_PROTECT", hvc(function).x[0], not_supported);
        expect_equal("PSCI_FEATURES(MEM_PROTECT)", hvc(psci::features, function).x[0],
                     not_supported);
    }
}

std::uint64_t read_mpidr(std::uint64_t) {
    return READ_SYSREG(mpidr_el1);
}

void expect_entered_rightly(unsigned cpu) {
    const CpuStart start = cpu_start_record(cpu);
    expect_equal("context in x0", start.context, cpu_context(cpu));
    expect_equal("CurrentEL", start.current_el, 4);
    expect_equal("DAIF", start.daif, 0x3c0);
    expect_equal("SCTLR_EL1.{M,C,I} at entry", start.sctlr & 0x5, 0);
    const std::uint64_t mpidr = run_on(cpu, read_mpidr, 0);
    expect_equal("affinity", mpidr & 0xff00ffffff, board().mpidr[cpu]);
    expect_equal("MPIDR_EL1 bits 31, 30", mpidr >> 30 & 3, 2);
}

void all_cpus_come_on() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        turn_off(cpu);
        expect(psci::affinity_info(board().mpidr[cpu], 0) == psci::affinity_off,
               "a CPU is off before CPU_ON");
        turn_on(cpu);
        expect_entered_rightly(cpu);
        expect(psci::affinity_info(board().mpidr[cpu], 0) == psci::affinity_on,
               "a CPU is on after CPU_ON");
    }
}

void already_on() {
    for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
        turn_on(cpu);
        const auto result = psci::cpu_on(board().mpidr[cpu], cpu_entry_point(), cpu_context(cpu));
        if (result != psci::already_on) {
            fail("CPU_ON of running CPU {} gave {}", cpu, result);
        }
    }
}

void off_and_on_again() {
    for (unsigned round = 0; round < 10; ++round) {
        for (unsigned cpu = 1; cpu < cpu_count(); ++cpu) {
            turn_on(cpu);
            expect_entered_rightly(cpu);
            turn_off(cpu);
        }
    }
}

std::uint64_t dirty_registers(std::uint64_t) {
    WRITE_SYSREG(tpidr_el1, 0x1111);
    WRITE_SYSREG(contextidr_el1, 0x2222);
    return 0;
}

// The MMU is off again at the next entry, whatever the CPU did before.
void state_is_reset() {
    turn_on(1);
    run_on(1, dirty_registers, 0);
    turn_off(1);
    turn_on(1);
    expect_entered_rightly(1);
}

void suspend_is_left_by_an_interrupt() {
    Timer& timer = physical_timer();
    allow_interrupt(timer.intid(), [](std::uint32_t) { physical_timer().stop(); });
    const std::uint64_t begin = now();
    timer.start_at(begin + ticks_of_ms(50));
    CallRegisters result{};
    {
        const MaskedInterrupts masked;
        result = hvc(psci::cpu_suspend_64, 0, cpu_entry_point(), 0);
    }
    expect_equal("CPU_SUSPEND", result.x[0], 0);
    expect(wait_for_count(timer.intid(), 0, 2000), "the timer interrupt arrives");
    expect(now() >= begin + ticks_of_ms(50), "it slept until the timer");
}

constexpr Check checks[] = {
    {"psci.version", version, Needs::nothing},
    {"psci.version_by_smc", version_by_smc},
    {"psci.features", features, Needs::nothing},
    {"psci.no_trusted_os", no_trusted_os, Needs::nothing},
    {"psci.unknown_function", unknown_function, Needs::nothing},
    {"psci.self_is_on", self_is_on, Needs::nothing},
    {"psci.invalid_parameters", invalid_parameters, Needs::hypervisor},
    {"psci.refusals", refusals, Needs::hypervisor},
    {"psci.all_cpus_come_on", all_cpus_come_on, Needs::smp},
    {"psci.already_on", already_on, Needs::smp},
    {"psci.off_and_on_again", off_and_on_again, Needs::smp, 30'000},
    {"psci.state_is_reset", state_is_reset, Needs::smp},
    {"psci.suspend_is_left_by_an_interrupt", suspend_is_left_by_an_interrupt, Needs::hypervisor},
};

} // namespace

std::span<const Check> psci_checks() {
    return checks;
}

} // namespace test
