// SPDX-License-Identifier: BSD-3-Clause
// A VM that attacks, one that works meanwhile, and this program that watches both. After each
// attack the attacker has come to its end, the other VM has worked on without a wrong result, and
// the hypervisor and the Resource Manager answer.
#include "check/check.hpp"

#include "check/tables.hpp"
#include "check/watchdog.hpp"
#include "hostile/protocol.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "machine/page_tables.hpp"
#include "machine/sysreg.hpp"
#include "machine/uart.hpp"
#include "vm/guest.hpp"

#include <runtime/print.hpp>

#include <algorithm>

extern "C" const std::byte hostile_program_start[];
extern "C" const std::byte hostile_program_end[];

namespace test {

namespace {

using hostile::Attack;
using hostile::Box;

constexpr std::uint64_t limit_ms = 600'000; // of a check; an attack that ends early costs nothing
constexpr std::uint64_t nap_ms = 20;
constexpr std::uint64_t stall_ms = 30'000; // nobody is without progress for that long

struct alignas(4096) Arena {
    std::array<std::byte, guest_ram_size> bytes;
};
constinit Arena witness_arena{};
constinit Guest witness(witness_arena.bytes);

std::uint64_t argument(std::string_view name, std::uint64_t otherwise) {
    const std::string_view all = board().arguments;
    const std::size_t at = all.find(name);
    if (at == std::string_view::npos) {
        return otherwise;
    }
    std::uint64_t value = 0;
    for (const char c : all.substr(at + name.size())) {
        if (c < '0' || c > '9') {
            break;
        }
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

std::uint64_t seed() {
    return argument("seed=", 1);
}

/// The box as it is in memory. Written only by order().
Box& box(Guest& vm, unsigned vcpu) {
    auto* page = vm.memory(guest_mailboxes + vcpu * 4096ULL);
    clean_invalidate(page, sizeof(Box));
    return *reinterpret_cast<Box*>(page);
}

void order(Guest& vm, unsigned vcpu, Attack attack) {
    Box& b = box(vm, vcpu);
    b.attack = static_cast<std::uint64_t>(attack);
    b.seed = seed();
    b.rounds = argument("rounds=", 1);
    b.foreign = witness.bell_cap();
    b.has_sve = READ_SYSREG(id_aa64pfr0_el1) >> 32 & 0xf;
    b.stop = 0;
    b.order = b.order + 1;
    clean_invalidate(&b, sizeof b);
}

void sleep(std::uint64_t ms) {
    const Deadline deadline = Deadline::after_ms(ms);
    const Alarm alarm(ms); // not before the deadline: it comes once
    while (!deadline.passed()) {
        const MaskedInterrupts masked;
        if (!deadline.passed()) {
            wait_for_interrupt();
        }
    }
}

void expect_no_failure(std::string_view who, Guest& vm) {
    for (unsigned i = 0; i < guest_cpus; ++i) {
        const Box& b = box(vm, i);
        if (b.failures != 0) {
            const auto* word = reinterpret_cast<const char*>(&b.failure[0]);
            fail("seed {}: {} vCPU {}: {} times \"{}\" {x} {x} {x}", seed(), who, i, b.failures,
                 word, b.failure[1], b.failure[2], b.failure[3]);
        }
    }
}

/// Notes whether a vCPU goes on.
struct Watched {
    std::uint64_t progress = 0;
    Deadline deadline = Deadline::after_ms(stall_ms);

    bool goes_on(const Box& b) {
        if (b.progress != progress || b.done == b.order) {
            progress = b.progress;
            deadline = Deadline::after_ms(stall_ms);
        }
        return !deadline.passed();
    }
};

void expect_hypervisor_works() {
    const CallRegisters version = hvc(0x84000000);
    expect_equal("PSCI_VERSION", version.x[0], 0x10001);
    PayloadWriter request;
    PayloadReader reply = rpc().must(GH_RM_VM_GET_VMID, request.bytes());
    expect_equal("our VMID", reply.u16(), GH_VMID_PRIMARY);
}

/// Watches until the vCPUs of `mask` have done what they were told.
void watch(unsigned mask) {
    std::array<Watched, guest_cpus> attackers;
    std::array<Watched, guest_cpus> witnesses;
    for (bool busy = true; busy;) {
        sleep(nap_ms);
        busy = false;
        for (unsigned i = 0; i < guest_cpus; ++i) {
            const Box& b = box(guest(), i);
            busy = busy || ((mask >> i & 1) != 0 && b.done != b.order);
            if ((mask >> i & 1) != 0 && !attackers[i].goes_on(b)) {
                fail("seed {}: the attacker's vCPU {} hangs, progress {}, {} exceptions, {} "
                     "interrupts",
                     seed(), i, b.progress, b.exceptions, b.interrupts);
            }
            if (!witnesses[i].goes_on(box(witness, i))) {
                fail("seed {}: vCPU {} of the other VM hangs, progress {}", seed(), i,
                     box(witness, i).progress);
            }
        }
    }
    expect_no_failure("the attacker's", guest());
    expect_no_failure("the other VM's", witness);
    expect_hypervisor_works();
}

void start_witness() {
    if (witness.vmid() != 0) {
        return;
    }
    // No affinity: it goes wherever the attacker lets it.
    static constexpr std::uint32_t anywhere[] = {~0u, ~0u};
    witness.use({hostile_program_start, hostile_program_end}, "static", anywhere, "sve");
    witness.create();
    for (unsigned i = 0; i < guest_cpus; ++i) {
        order(witness, i, Attack::witness);
    }
}

void start_attacker() {
    if (guest().vmid() != 0) {
        return;
    }
    guest().use({hostile_program_start, hostile_program_end}, "static", {}, "sve");
    guest().create();
}

void prepare() {
    rpc().begin();
    start_witness();
    start_attacker();
}

constinit std::uint64_t all_exceptions = 0;
constinit std::uint64_t all_interrupts = 0;

void stop(Guest& vm) {
    for (unsigned i = 0; i < guest_cpus; ++i) {
        all_exceptions += box(vm, i).exceptions;
        all_interrupts += box(vm, i).interrupts;
    }
    vm.stop();
    vm.expect_exited(GH_RM_EXIT_STOP_FORCED);
    vm.tear_down();
}

template <Attack attack>
void attack_alone() {
    prepare();
    order(guest(), 0, attack);
    watch(1);
}

template <Attack attack>
void attack_together() {
    prepare();
    order(guest(), 0, attack);
    order(guest(), 1, attack);
    watch(3);
}

void power_races() {
    prepare();
    order(guest(), 1, Attack::leave);
    watch(2);
    order(guest(), 1, Attack::power);
    order(guest(), 0, Attack::power);
    watch(1);
    stop(guest());
}

/// The longest that somebody was kept waiting, in ticks.
struct Waits {
    std::uint64_t timer = 0;   // of ours for its interrupt
    std::uint64_t witness = 0; // a vCPU of the other VM without progress, as seen between naps
};

Waits measure_waits() {
    constexpr std::uint64_t nap = 2;
    constexpr unsigned naps = 100;
    Waits waits;
    std::array<std::uint64_t, guest_cpus> progress{};
    std::array<std::uint64_t, guest_cpus> since{now(), now()};
    for (unsigned n = 0; n < naps; ++n) {
        const std::uint64_t at = now() + ticks_of_ms(nap);
        sleep(nap);
        const std::uint64_t woken = now();
        waits.timer = std::max(waits.timer, woken - at);
        for (unsigned i = 0; i < guest_cpus; ++i) {
            const std::uint64_t is = box(witness, i).progress;
            waits.witness = std::max(waits.witness, woken - since[i]);
            since[i] = is != progress[i] ? woken : since[i];
            progress[i] = is;
        }
    }
    return waits;
}

/// Storms of calls cost others no more than the attacker's turns of the CPU: with all five vCPUs on
/// one CPU those of the four others, of 5 ms each. A busy computer adds its own, unless QEMU counts
/// instructions instead of time (boot argument "exact").
void call_flood() {
    const std::uint64_t most = ticks_of_ms(board().has_argument("exact") ? 25 : 1000);
    prepare();
    order(guest(), 0, Attack::call_flood);
    order(guest(), 1, Attack::call_flood);
    for (unsigned i = 0; i < guest_cpus; ++i) {
        const std::uint64_t before = box(guest(), i).progress;
        expect(wait_until(stall_ms, [&] { return box(guest(), i).progress != before; }),
               "the flood has begun");
    }
    const Waits waits = measure_waits();
    for (unsigned i = 0; i < guest_cpus; ++i) {
        Box& b = box(guest(), i);
        b.stop = 1;
        clean_invalidate(&b, sizeof b);
    }
    watch(3);
    const auto us = [](std::uint64_t ticks) { return ticks * 1000 / ticks_of_ms(1); };
    rt::print(uart(), "call flood: our timer waits {} us, the other VM {} us\n", us(waits.timer),
              us(waits.witness));
    expect(waits.timer <= most, "our timer's interrupt comes in time");
    expect(waits.witness <= most, "the other VM works on");
}

/// The VM ends while its vCPUs start each other; it is gone, and can be made anew.
void end_amid_races() {
    for (unsigned times = 0; times < 3; ++times) {
        prepare();
        order(guest(), 1, Attack::leave);
        watch(2);
        order(guest(), 1, Attack::system_off);
        order(guest(), 0, Attack::system_off);
        guest().expect_exited(GH_RM_EXIT_PLATFORM_OFF);
        expect_no_failure("the attacker's", guest());
        guest().tear_down();
    }
}

/// In the midst of everything at once.
void killed_amid_attacks() {
    for (const Attack attack : {Attack::sgi_storm, Attack::hypercalls, Attack::write_registers,
                                Attack::timers, Attack::gic_registers}) {
        prepare();
        order(guest(), 0, attack);
        order(guest(), 1, attack);
        sleep(50);
        stop(guest());
    }
    prepare();
    watch(0);
}

void end() {
    prepare();
    stop(witness);
    stop(guest());
    rt::print(uart(), "hostile: seed {}, rounds {}: {} exceptions, {} interrupts\n", seed(),
              argument("rounds=", 1), all_exceptions, all_interrupts);
    expect(all_exceptions > 100'000 && all_interrupts > 1'000, "the attacks were attacks");
    expect_hypervisor_works();
}

constexpr Check checks[] = {
    {"hostile.entry_state", attack_alone<Attack::entry_state>, Needs::hypervisor, limit_ms},
    {"hostile.read_registers", attack_together<Attack::read_registers>, Needs::hypervisor,
     limit_ms},
    {"hostile.write_registers", attack_together<Attack::write_registers>, Needs::hypervisor,
     limit_ms},
    {"hostile.system_instructions", attack_together<Attack::system_instructions>, Needs::hypervisor,
     limit_ms},
    {"hostile.hvc_immediates", attack_together<Attack::hvc_immediates>, Needs::hypervisor,
     limit_ms},
    {"hostile.smc_immediates", attack_together<Attack::smc_immediates>, Needs::hypervisor,
     limit_ms},
    {"hostile.function_ids", attack_together<Attack::function_ids>, Needs::hypervisor, limit_ms},
    {"hostile.hypercalls", attack_together<Attack::hypercalls>, Needs::hypervisor, limit_ms},
    {"hostile.gic_registers", attack_together<Attack::gic_registers>, Needs::hypervisor, limit_ms},
    {"hostile.addresses", attack_together<Attack::addresses>, Needs::hypervisor, limit_ms},
    {"hostile.sgi_storm", attack_together<Attack::sgi_storm>, Needs::hypervisor, limit_ms},
    {"hostile.timers", attack_together<Attack::timers>, Needs::hypervisor, limit_ms},
    {"hostile.registers_kept", attack_together<Attack::registers_kept>, Needs::hypervisor,
     limit_ms},
    {"hostile.call_flood", call_flood, Needs::hypervisor, limit_ms},
    {"hostile.power_races", power_races, Needs::hypervisor, limit_ms},
    {"hostile.end_amid_races", end_amid_races, Needs::hypervisor, limit_ms},
    {"hostile.killed_amid_attacks", killed_amid_attacks, Needs::hypervisor, limit_ms},
    {"hostile.end", end, Needs::hypervisor, limit_ms},
};

} // namespace

std::span<const std::span<const Check>> check_tables() {
    static const std::array tables{std::span<const Check>(checks)};
    return tables;
}

} // namespace test
