// SPDX-License-Identifier: BSD-3-Clause
// What a vCPU finds in its registers: at its first instruction nothing of anybody else, later what
// it has put there, over traps of every kind and over losing its CPU.
#include "calls/psci.hpp"
#include "calls/register_image.hpp"
#include "hostile/program/attacks.hpp"
#include "machine/system_image.hpp"

#include <abi/hypercall.h>

extern "C" const test::RegisterImage entry_registers;

namespace test::hostile {

namespace {

constinit RegisterImage before[guest_cpus]{};
constinit RegisterImage after[guest_cpus]{};

/// x0 to x(`first` - 1) may change.
void expect_kept(Attacker& attacker, std::uint64_t what, unsigned first) {
    const int changed = first_difference(before[attacker.cpu], after[attacker.cpu], first);
    if (changed >= 0) {
        attacker.report(what, static_cast<std::uint64_t>(changed),
                        changed < 31 ? after[attacker.cpu].x[changed] : 0);
    }
    attacker.step();
}

void over_a_call(Attacker& attacker, std::uint64_t function) {
    fill_pattern(before[attacker.cpu], attacker.random());
    before[attacker.cpu].x[0] = function;
    execute_hvc(&before[attacker.cpu], &after[attacker.cpu]);
    expect_kept(attacker, tag("call"), 4); // SMCCC 1.1 and later: x4 on are kept
}

void over_an_access(Attacker& attacker, std::uint64_t address) {
    fill_pattern(before[attacker.cpu], attacker.random());
    before[attacker.cpu].x[1] = address;
    execute_store(&before[attacker.cpu], &after[attacker.cpu]);
    expect_kept(attacker, tag("access"), 0);
}

void over_lost_time(Attacker& attacker, std::uint64_t loops) {
    fill_pattern(before[attacker.cpu], attacker.random());
    before[attacker.cpu].x[0] = loops;
    execute_loop(&before[attacker.cpu], &after[attacker.cpu]);
    expect_kept(attacker, tag("time"), 1);
}

void of_the_system(Attacker& attacker) {
    const SystemImage saved = read_system_registers();
    const SystemImage wanted = fill_system_registers(attacker.random());
    for (unsigned i = 0; i < 5; ++i) {
        (void)hvc(GH_SMCCC_BASE + GH_SCHEDULER_YIELD); // may last a turn of each other vCPU
        attacker.step();
    }
    const SystemImage got = read_system_registers();
    write_system_registers(saved);
    for (std::size_t i = 0; i < system_register_count(); ++i) {
        if (wanted[i] != got[i]) {
            attacker.report(tag("sysreg"), i, wanted[i], got[i]);
        }
    }
    attacker.step();
}

} // namespace

void check_entry_state(Attacker& attacker) {
    for (std::uint64_t i = 1; i < 31; ++i) {
        if (entry_registers.x[i] != 0) {
            attacker.report(tag("entry_x"), i, entry_registers.x[i]);
        }
    }
    for (std::uint64_t i = 0; i < 64; ++i) {
        if (entry_registers.v[i] != 0) {
            attacker.report(tag("entry_v"), i / 2, entry_registers.v[i]);
        }
    }
    if ((entry_registers.fpcr | entry_registers.fpsr) != 0) {
        attacker.report(tag("entryfp"), entry_registers.fpcr, entry_registers.fpsr);
    }
    check_vectors_at_entry(attacker);
}

void registers_kept(Attacker& attacker) {
    for (std::uint64_t i = 0; i < 100 * attacker.box.rounds; ++i) {
        over_a_call(attacker, psci::version);
        over_a_call(attacker, 0x87001234);
        over_a_call(attacker, GH_SMCCC_BASE + GH_SCHEDULER_YIELD);
        over_an_access(attacker, guest_distributor + 0x400);
        over_an_access(attacker, 0x40001000); // nothing: an abort, here
        over_lost_time(attacker, 20'000);
        of_the_system(attacker);
        vectors_kept(attacker);
    }
    over_lost_time(attacker, 5'000'000); // several time slices
}

void honest_work(Attacker& attacker, std::uint64_t round) {
    constexpr std::size_t words = 512;
    volatile std::uint64_t* area = attacker.data();
    Attacker same = attacker; // the same random numbers again
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < words; ++i) {
        area[i] = attacker.random() + round;
        sum += same.random() + round;
    }
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < words; ++i) {
        found += area[i];
    }
    if (found != sum) {
        attacker.report(tag("sum"), round, found, sum);
    }
    over_lost_time(attacker, 10'000);
    over_a_call(attacker, psci::version);
    if (after[attacker.cpu].x[0] != 0x10001) {
        attacker.report(tag("version"), after[attacker.cpu].x[0]);
    }
    of_the_system(attacker);
    if (round % 8 == 0) {
        vectors_kept(attacker);
    }
}

} // namespace test::hostile
