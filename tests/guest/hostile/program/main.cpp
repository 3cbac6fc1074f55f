// SPDX-License-Identifier: BSD-3-Clause
// The hostile program: takes orders, survives its own exceptions.
#include "hostile/program/attacks.hpp"

#include "calls/psci.hpp"

#include <abi/hypercall.h>

#include <runtime/panic.hpp>

#include <array>

extern "C" const char secondary_start[];

namespace test::hostile {

namespace {

struct Frame {
    std::uint64_t x[31];
    std::uint64_t elr;
    std::uint64_t spsr;
};

struct Interrupts {
    OnInterrupt action;
    std::uint64_t taken;
    std::uint64_t stop_after;
};
constinit volatile Interrupts interrupts[guest_cpus]{};

unsigned this_vcpu() {
    return static_cast<unsigned>(READ_SYSREG(mpidr_el1) & 0xff) % guest_cpus;
}

volatile Box& box_of(unsigned cpu) {
    return *reinterpret_cast<volatile Box*>(guest_ram_base + guest_mailboxes + cpu * 4096ULL);
}

void take_interrupt(unsigned cpu) {
    constexpr std::uint64_t first_special = 1020;
    const std::uint64_t intid = READ_SYSREG(s3_0_c12_c12_0);
    dsb();
    if (intid >= first_special) {
        return;
    }
    volatile Interrupts& mine = interrupts[cpu];
    mine.taken = mine.taken + 1;
    if (mine.taken >= mine.stop_after) {
        WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
        WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{0});
        isb();
    }
    WRITE_SYSREG(s3_0_c12_c12_1, intid);
    if ((READ_SYSREG(s3_0_c12_c12_4) & 2) != 0) { // EOImode 1
        WRITE_SYSREG(s3_0_c12_c11_1, intid);
    }
    isb();
}

void take_synchronous(Frame& frame) {
    constexpr std::uint64_t spsr_d = 1u << 9;
    constexpr std::uint64_t spsr_ss = 1u << 21;
    const std::uint64_t ec = READ_SYSREG(esr_el1) >> 26;
    if (ec == 0x21) { // a fetch that failed: back to the caller
        frame.elr = frame.x[30];
    } else if (ec >= 0x30 && ec <= 0x35) { // breakpoint, step, watchpoint
        frame.spsr = (frame.spsr | spsr_d) & ~spsr_ss;
    } else {
        frame.elr += 4;
    }
}

void perform(Attacker& attacker) {
    switch (static_cast<Attack>(attacker.box.attack)) {
    case Attack::none:
        break;
    case Attack::witness:
        for (std::uint64_t round = 0; attacker.box.stop == 0; ++round) {
            honest_work(attacker, round);
        }
        break;
    case Attack::entry_state:
        check_entry_state(attacker);
        break;
    case Attack::read_registers:
        read_registers(attacker);
        break;
    case Attack::write_registers:
        write_registers(attacker);
        break;
    case Attack::system_instructions:
        system_instructions(attacker);
        break;
    case Attack::hvc_immediates:
        call_immediates(attacker, false);
        break;
    case Attack::smc_immediates:
        call_immediates(attacker, true);
        break;
    case Attack::function_ids:
        function_ids(attacker);
        break;
    case Attack::hypercalls:
        hypercalls(attacker);
        break;
    case Attack::gic_registers:
        gic_registers(attacker);
        break;
    case Attack::addresses:
        addresses(attacker);
        break;
    case Attack::sgi_storm:
        sgi_storm(attacker);
        break;
    case Attack::timers:
        timers(attacker);
        break;
    case Attack::registers_kept:
        registers_kept(attacker);
        break;
    case Attack::call_flood:
        call_flood(attacker);
        break;
    case Attack::leave:
        attacker.box.done = attacker.box.order;
        (void)hvc(psci::cpu_off_32);
        attacker.report(tag("stays"));
        break;
    case Attack::power:
        power(attacker, false);
        break;
    case Attack::system_off:
        power(attacker, true);
        break;
    }
}

} // namespace

std::uint64_t Attacker::edge() {
    static constexpr std::array<std::uint64_t, 16> edges{
        0,
        ~std::uint64_t{0},
        1,
        2,
        0xfff,
        0x1001,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        std::uint64_t{1} << 63,
        (std::uint64_t{1} << 63) - 1,
        guest_ram_base,
        guest_ram_base + guest_ram_size - 4,
        guest_distributor,
        0x4000'0000'0000, // where the hypervisor has its own image
    };
    const std::uint64_t choice = random() % 24;
    if (choice < edges.size()) {
        return edges[choice];
    }
    switch (choice) {
    case 16:
    case 17:
        return box.foreign;
    case 18:
    case 19:
        return random() % 64; // capability numbers are small
    case 20:
        return 0x40000000 + random() % 0x80000000; // the machine's RAM, mostly others'
    case 21:
        return guest_ram_base + random() % guest_ram_size;
    default:
        return random();
    }
}

void Attacker::report(std::uint64_t what, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    if (box.failures == 0) {
        box.failure[0] = what;
        box.failure[1] = a;
        box.failure[2] = b;
        box.failure[3] = c;
    }
    box.failures = box.failures + 1;
}

std::span<std::uint32_t> Attacker::code() const {
    return {reinterpret_cast<std::uint32_t*>(guest_ram_base + code_area + cpu * area_size),
            area_size / 4};
}

volatile std::uint64_t* Attacker::data() const {
    return reinterpret_cast<volatile std::uint64_t*>(guest_ram_base + data_area + cpu * area_size);
}

void on_interrupt(unsigned cpu, OnInterrupt action) {
    interrupts[cpu].action = action;
    interrupts[cpu].taken = 0;
    interrupts[cpu].stop_after = ~std::uint64_t{0};
}

void interrupts_until_stop(unsigned cpu, std::uint64_t count) {
    interrupts[cpu].stop_after = interrupts[cpu].taken + count;
}

std::uint64_t interrupts_taken(unsigned cpu) {
    return interrupts[cpu].taken;
}

void reset_own_state() {
    constexpr std::uint64_t all_masked = 0x3c0;
    constexpr std::uint64_t cpacr_fpen = 3 << 20;
    WRITE_SYSREG(daif, all_masked);
    WRITE_SYSREG(cpacr_el1, cpacr_fpen);
    WRITE_SYSREG(mdscr_el1, std::uint64_t{0});
    WRITE_SYSREG(cntv_ctl_el0, std::uint64_t{0});
    WRITE_SYSREG(cntp_ctl_el0, std::uint64_t{0});
    isb();
}

extern "C" void hostile_exception(Frame* frame, std::uint64_t kind) {
    constexpr std::uint64_t spsr_f = 1u << 6;
    constexpr std::uint64_t spsr_i = 1u << 7;
    const unsigned cpu = this_vcpu();
    volatile Box& box = box_of(cpu);
    if (kind == 0) {
        box.exceptions = box.exceptions + 1;
        take_synchronous(*frame);
    } else if (interrupts[cpu].action == OnInterrupt::take && kind == 1) {
        box.interrupts = box.interrupts + 1;
        take_interrupt(cpu);
    } else {
        frame->spsr |= kind == 1 ? spsr_i : spsr_f; // an SError is over
    }
}

extern "C" [[noreturn]] void hostile_main(unsigned cpu) {
    volatile Box& box = box_of(cpu);
    // A vCPU that was turned on for a race knows it by the order it finds.
    const auto attack = static_cast<Attack>(box.attack);
    const bool partner = attack == Attack::power || attack == Attack::system_off;
    if (cpu == 1 && box.order != box.done && partner) {
        Attacker attacker{cpu, box, box.seed | 1};
        power_partner(attacker, attack == Attack::system_off);
    }
    if (cpu == 0) {
        (void)psci::cpu_on(1, reinterpret_cast<std::uint64_t>(secondary_start), 0);
    }
    for (;;) {
        while (box.order == box.done) {
            (void)hvc(GH_SMCCC_BASE + GH_SCHEDULER_YIELD);
        }
        const std::uint64_t order = box.order;
        reset_own_state();
        on_interrupt(cpu, OnInterrupt::mask);
        Attacker attacker{cpu, box, (box.seed * 0x9e3779b97f4a7c15 + cpu) | 1};
        perform(attacker);
        reset_own_state();
        dsb();
        box.done = order;
    }
}

} // namespace test::hostile

/// Shows as a vCPU that makes no progress.
void rt::panic(const char*) {
    for (;;) {
    }
}
