// SPDX-License-Identifier: BSD-3-Clause
// The attacks, and what they share.
#pragma once

#include "hostile/protocol.hpp"
#include "machine/sysreg.hpp"

#include <cstdint>
#include <span>

namespace test::hostile {

/// Who attacks, and with what luck.
struct Attacker {
    unsigned cpu;
    volatile Box& box;
    std::uint64_t state; // of the random numbers: never 0

    std::uint64_t random() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
    /// 0, all ones, small numbers, sign bits, addresses of all kinds, or anything.
    std::uint64_t edge();
    void step() { box.progress = box.progress + 1; }
    /// Something that must not be; the first one is kept.
    void report(std::uint64_t what, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0);
    [[nodiscard]] std::span<std::uint32_t> code() const;
    [[nodiscard]] volatile std::uint64_t* data() const;
};

/// Runs instructions that were written to `code()`, `x2` to `x4` holding `value` and x0 `results`;
/// a return is appended.
void execute(Attacker&, std::size_t count, volatile std::uint64_t* results, std::uint64_t value);

/// What the vectors do with an interrupt: mask it, or take it and send what `storm` says.
enum class OnInterrupt : std::uint64_t { mask, take };
void on_interrupt(unsigned cpu, OnInterrupt);
/// Each interrupt that is taken counts down; at zero both timers are stopped.
void interrupts_until_stop(unsigned cpu, std::uint64_t count);
[[nodiscard]] std::uint64_t interrupts_taken(unsigned cpu);

/// The state in which each attack begins: masks, timers, CPACR, debug.
void reset_own_state();
/// Distributor, own redistributor and CPU interface in plain working order, SGIs enabled.
void reset_own_gic(unsigned cpu);

void check_entry_state(Attacker&);
void read_registers(Attacker&);
void write_registers(Attacker&);
void system_instructions(Attacker&);
void call_immediates(Attacker&, bool smc);
void function_ids(Attacker&);
void hypercalls(Attacker&);
void gic_registers(Attacker&);
void addresses(Attacker&);
void sgi_storm(Attacker&);
void timers(Attacker&);
void registers_kept(Attacker&);
void power(Attacker&, bool system_off);
[[noreturn]] void power_partner(Attacker&, bool system_off);
/// Nothing of anybody else is in Z and P registers, FFR and ZCR_EL1.
void check_vectors_at_entry(Attacker&);
/// What is put there is there after a call, an access, and the turns of other vCPUs.
void vectors_kept(Attacker&);
void call_flood(Attacker&);
/// The witness's work, once.
void honest_work(Attacker&, std::uint64_t round);

} // namespace test::hostile
