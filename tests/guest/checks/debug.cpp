// SPDX-License-Identifier: BSD-3-Clause
// Self-hosted debug (Arm ARM D2): registers keep what is written, breakpoints, watchpoints and
// single step work, and none of it changes by sleeping or by another context.
#include "calls/psci.hpp"
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/exceptions.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "machine/timer.hpp"

namespace test {

namespace {

constexpr std::uint64_t mdscr_mde = 1u << 15; // monitor debug events
constexpr std::uint64_t mdscr_kde = 1u << 13; // at EL1, from EL1
// Control registers: E, PAC or PMC 01 (EL1), BAS all (breakpoints) or bytes 3:0, watch: LSC.
constexpr std::uint64_t breakpoint_on = 1 | 1 << 1 | 0xf << 5;
constexpr std::uint64_t watchpoint_on_stores = 1 | 1 << 1 | 2 << 3 | 0xff << 5;

unsigned breakpoints() {
    return static_cast<unsigned>((READ_SYSREG(id_aa64dfr0_el1) >> 12 & 0xf) + 1);
}

void unlock() {
    WRITE_SYSREG(oslar_el1, std::uint64_t{0});
    isb();
    expect_equal("OSLSR_EL1.OSLK", READ_SYSREG(oslsr_el1) >> 1 & 1, 0);
}

void all_off() {
    WRITE_SYSREG(mdscr_el1, std::uint64_t{0});
    WRITE_SYSREG(dbgbcr0_el1, std::uint64_t{0});
    WRITE_SYSREG(dbgbcr1_el1, std::uint64_t{0});
    WRITE_SYSREG(dbgwcr0_el1, std::uint64_t{0});
    isb();
}

void enable_debug() {
    WRITE_SYSREG(mdscr_el1, mdscr_mde | mdscr_kde);
    isb();
    asm volatile("msr daifclr, #8" : : : "memory");
}

void disable_debug() {
    asm volatile("msr daifset, #8" : : : "memory");
    all_off();
}

void read_back() {
    unlock();
    WRITE_SYSREG(dbgbvr0_el1, std::uint64_t{0x0000'1234'5678'9abc});
    WRITE_SYSREG(dbgbvr1_el1, std::uint64_t{0x0000'0bad'cafe'0000});
    WRITE_SYSREG(dbgwvr0_el1, std::uint64_t{0x0000'4444'5555'6668});
    WRITE_SYSREG(dbgbcr0_el1, breakpoint_on & ~std::uint64_t{1});
    WRITE_SYSREG(dbgwcr0_el1, watchpoint_on_stores & ~std::uint64_t{1});
    WRITE_SYSREG(mdscr_el1, std::uint64_t{1} << 12); // TDCC: traps EL0's debug channel
    isb();
    expect(breakpoints() >= 2, "there are at least two breakpoints");
    expect_equal("DBGBVR0_EL1", READ_SYSREG(dbgbvr0_el1), 0x0000'1234'5678'9abc);
    expect_equal("DBGBVR1_EL1", READ_SYSREG(dbgbvr1_el1), 0x0000'0bad'cafe'0000);
    expect_equal("DBGWVR0_EL1", READ_SYSREG(dbgwvr0_el1), 0x0000'4444'5555'6668);
    expect_equal("DBGBCR0_EL1", READ_SYSREG(dbgbcr0_el1), breakpoint_on & ~std::uint64_t{1});
    expect_equal("DBGWCR0_EL1", READ_SYSREG(dbgwcr0_el1), watchpoint_on_stores & ~std::uint64_t{1});
    expect_equal("MDSCR_EL1", READ_SYSREG(mdscr_el1), std::uint64_t{1} << 12);
    all_off();
}

extern "C" void debug_target();
asm(".section .text.debug_target, \"ax\"\n"
    ".type debug_target, %function\n"
    "debug_target:\n\tnop\n\tret\n"
    ".previous");

std::uint64_t target_address() {
    return reinterpret_cast<std::uint64_t>(&debug_target);
}

void set_breakpoint() {
    unlock();
    WRITE_SYSREG(dbgbvr0_el1, target_address());
    WRITE_SYSREG(dbgbcr0_el1, breakpoint_on);
    isb();
    enable_debug();
}

void expect_hit() {
    const auto taken = catch_exception([] { debug_target(); }, Resume::same_instruction);
    expect(taken.has_value(), "the breakpoint fires");
    expect_equal("class", taken->ec(), ec_breakpoint);
    expect_equal("ELR", taken->elr, target_address());
}

void breakpoint() {
    set_breakpoint();
    expect_hit();
    asm volatile("msr daifclr, #8" : : : "memory");
    expect_hit();
    disable_debug();
    const auto taken = catch_exception([] { debug_target(); });
    expect(!taken, "it does not fire when it is off");
}

// The state survives a time in which this vCPU is not in the hardware.
void breakpoint_after_sleep() {
    set_breakpoint();
    allow_interrupt(physical_timer().intid(), [](std::uint32_t) { physical_timer().stop(); });
    physical_timer().start_at(now() + ticks_of_ms(30));
    expect(wait_for_count(physical_timer().intid(), 0, 2000), "the timer ends the sleep");
    expect_equal("DBGBVR0_EL1", READ_SYSREG(dbgbvr0_el1), target_address());
    expect_equal("MDSCR_EL1", READ_SYSREG(mdscr_el1) & (mdscr_mde | mdscr_kde),
                 mdscr_mde | mdscr_kde);
    asm volatile("msr daifclr, #8" : : : "memory");
    expect_hit();
    disable_debug();
}

alignas(8) constinit std::uint64_t watched = 0;

void watchpoint() {
    unlock();
    const auto address = reinterpret_cast<std::uint64_t>(&watched);
    WRITE_SYSREG(dbgwvr0_el1, address);
    WRITE_SYSREG(dbgwcr0_el1, watchpoint_on_stores);
    isb();
    enable_debug();
    std::uint64_t value = 0;
    const auto load = catch_exception([&] {
        asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    });
    expect(!load, "a load does not fire a watchpoint on stores");
    const auto store = catch_exception(
        [&] {
            asm volatile("str %0, [%1]" : : "r"(address), "r"(address) : "memory");
        },
        Resume::same_instruction);
    disable_debug();
    expect(store.has_value(), "a store does");
    expect_equal("class", store->ec(), ec_watchpoint);
    expect_equal("FAR", store->far, address);
    expect_equal("the store happened after return", watched, address);
}

void software_breakpoint() {
    const auto taken = catch_exception([] { asm volatile("brk #0x123" : : : "memory"); });
    expect(taken.has_value(), "BRK is an exception");
    expect_equal("class", taken->ec(), ec_brk);
    expect_equal("comment", taken->esr & 0xffff, 0x123);
}

// Unimplemented or privileged-only debug registers do not kill the VM.
void other_registers() {
    expect_equal("MDRAR_EL1", READ_SYSREG(mdrar_el1), 0);
    (void)READ_SYSREG(mdccsr_el0);
    WRITE_SYSREG(osdlr_el1, std::uint64_t{0});
    const auto taken = catch_exception([] {
        asm volatile("msr s2_4_c0_c7_0, xzr" : : : "memory");
    });
    expect(taken.has_value(), "an unallocated debug register is undefined");
    expect_equal("class", taken->ec(), ec_unknown);
}

constexpr Check checks[] = {
    {"debug.read_back", read_back, Needs::nothing},
    {"debug.breakpoint", breakpoint, Needs::nothing},
    {"debug.breakpoint_after_sleep", breakpoint_after_sleep, Needs::nothing},
    {"debug.watchpoint", watchpoint, Needs::nothing},
    {"debug.software_breakpoint", software_breakpoint, Needs::nothing},
    {"debug.other_registers", other_registers},
};

} // namespace

std::span<const Check> debug_checks() {
    return checks;
}

} // namespace test
