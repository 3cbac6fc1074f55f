// SPDX-License-Identifier: BSD-3-Clause
// vcpu_run: entry state, exits, preemption, and the registers of both sides.
#include "calls/psci.hpp"
#include "calls/register_image.hpp"
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/exceptions.hpp"
#include "machine/interrupts.hpp"
#include "machine/sysreg.hpp"
#include "machine/system_image.hpp"
#include "machine/timer.hpp"
#include "vm/guest.hpp"

namespace test {

namespace {

constexpr std::uint64_t device = 0x0a000000; // behind it is nothing but this program

void powered_off_before_start() {
    guest().begin();
    guest().allocate();
    guest().fill_memory({.base_address = guest_ram_base, .cpus = guest_cpus});
    guest().transfer(MemoryLayout::scattered, MemoryTransfer::share);
    guest().configure_image();
    guest().initialise();
    guest().read_resources();
    for (unsigned i = 0; i < guest_cpus; ++i) {
        allow_interrupt(guest().wakeup_irq(i));
        const VcpuExit exit = guest().run(i);
        expect_state(exit, GH_VCPU_STATE_POWERED_OFF);
        expect_equal("recoverable", exit.data[0], GH_VCPU_POWEROFF_RECOVERABLE);
    }
    guest().start();
    expect(wait_for_count(guest().wakeup_irq(0), 0, 3000),
           "VM_START raises the first vCPU's wake-up interrupt");
    guest().run_to_signal(0);
    const VcpuExit other = guest().run(1);
    expect_state(other, GH_VCPU_STATE_POWERED_OFF);
    expect_equal("recoverable", other.data[0], GH_VCPU_POWEROFF_RECOVERABLE);
    guest().finish();
}

void entry_state() {
    guest().create_and_boot();
    const Mailbox& box = guest().mailbox(0);
    expect_equal("x0", box.entry_x0, guest_ram_base + guest_dtb);
    expect_equal("CurrentEL", box.entry_el, 4);
    expect_equal("DAIF", box.entry_daif, 0x3c0);
    expect_equal("SCTLR_EL1.{M,C}", box.entry_sctlr & 5, 0);
    expect_equal("exceptions", box.exceptions, 0);
    const std::uint64_t before = now();
    const Mailbox& identity = guest().execute(0, Operation::read_identity);
    expect_equal("affinity of vCPU 0", identity.result[0] & 0xff00ffffff, 0);
    expect_equal("MPIDR_EL1.{31,30}", identity.result[0] >> 30 & 3, 2);
    expect_equal("MIDR_EL1 is ours", identity.result[1], READ_SYSREG(midr_el1));
    constexpr std::uint64_t sve_field = 0xfULL << 32; // the VM did not ask for it
    expect_equal("ID_AA64PFR0_EL1 is ours", identity.result[2],
                 READ_SYSREG(id_aa64pfr0_el1) & ~sve_field);
    expect(identity.result[3] >= before && identity.result[3] <= now(),
           "the VM's CNTVCT is ours (offset 0)");
    guest().finish();
}

// A VM with a feature hidden goes on after using it.
void undefined_in_the_vm() {
    guest().create_and_boot();
    const Mailbox& box = guest().execute(0, Operation::read_hidden);
    expect_equal("exceptions", box.exceptions, 1);
    expect_equal("class", box.esr >> 26, ec_unknown);
    guest().finish();
}

void calls_from_the_vm() {
    guest().create_and_boot();
    const auto hvc_result = [](std::uint64_t function, std::uint64_t x1 = 0) {
        return guest().execute(0, Operation::call_hvc, {function, x1}).result[0];
    };
    expect_equal("PSCI_VERSION", hvc_result(psci::version), 0x10001);
    expect_equal("PSCI_VERSION by SMC",
                 guest().execute(0, Operation::call_smc, {psci::version}).result[0], 0x10001);
    expect_equal("SMCCC_VERSION", hvc_result(0x80000000), 0x10003);
    expect_equal("identify", hvc_result(GH_SMCCC_BASE) & 0x3fff, GH_API_VERSION);
    expect_equal("an unknown function", hvc_result(0x86001234), not_supported);
    expect_equal("CPU_ON of an unknown CPU", hvc_result(psci::cpu_on_64, 0x55),
                 static_cast<std::uint64_t>(psci::invalid_parameters));
    expect_equal("doorbell_send on our capability's number",
                 hvc_result(GH_SMCCC_BASE + GH_VCPU_RUN, guest().vcpu_cap(0)),
                 GH_ERROR_CSPACE_CAP_NULL);
    guest().finish();
}

constinit RegisterImage ours_before{};
constinit RegisterImage ours_after{};

// Both sides hold patterns in all registers at once; neither sees the other's.
void registers_are_kept_apart() {
    guest().create_and_boot();
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        guest().prepare(0, Operation::hold_registers, {device, seed});
        // The call that enters the VM is made with every register of ours set.
        fill_pattern(ours_before, seed + 1000);
        for (int tries = 0;; ++tries) {
            ours_before.x[0] = GH_SMCCC_BASE + GH_VCPU_RUN;
            ours_before.x[1] = guest().vcpu_cap(0);
            std::fill_n(ours_before.x + 2, 4, 0);
            execute_hvc(&ours_before, &ours_after);
            expect_equal("vcpu_run", ours_after.x[0], GH_ERROR_OK);
            const int difference = first_difference(ours_before, ours_after, 5);
            if (difference >= 0) {
                fail("our register {} changed over vcpu_run", difference);
            }
            if (ours_after.x[1] != GH_VCPU_STATE_READY || tries == 1000) {
                break;
            }
        }
        expect_equal("state", ours_after.x[1], GH_VCPU_STATE_VMMIO_WRITE);
        expect_equal("IPA", ours_after.x[2], device);
        guest().run_to_signal(0);
        const auto changed = static_cast<std::int64_t>(guest().mailbox(0).result[0]);
        if (changed >= 0) {
            fail("the VM's register {} changed over its exit", changed);
        }
    }
    guest().finish();
}

void system_registers_are_kept_apart() {
    guest().create_and_boot();
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        guest().prepare(0, Operation::hold_system, {device, seed * 31});
        VcpuExit exit{};
        SystemImage wanted{};
        SystemImage got{};
        {
            const MaskedInterrupts masked;
            const SystemImage saved = read_system_registers();
            wanted = fill_system_registers(seed * 17);
            for (int tries = 0; tries < 100'000; ++tries) {
                const HypercallResult result = guest().run_once(0);
                exit = {result.x1, {result.x2, result.x3, result.x4}};
                if (result.error != GH_ERROR_OK || result.x1 != GH_VCPU_STATE_READY) {
                    break;
                }
            }
            got = read_system_registers();
            write_system_registers(saved);
        }
        expect_state(exit, GH_VCPU_STATE_VMMIO_WRITE);
        const std::string_view changed = first_difference(wanted, got);
        if (!changed.empty()) {
            fail("our {} changed over vcpu_run", changed);
        }
        guest().run_to_signal(0);
        const std::uint64_t theirs = guest().mailbox(0).result[0];
        if (theirs != ~std::uint64_t{0}) {
            fail("the VM's {} changed over its exit", system_register(theirs).name);
        }
    }
    guest().finish();
}

UntrappedImage swap_untrapped(std::uint64_t value) {
    UntrappedImage found{};
    ignore_exceptions([&] {
        found = read_untrapped_registers();
        write_untrapped_registers({value, value});
    });
    return found;
}

// Registers of hidden features that no trap can keep from a VM: at least they are no channel.
void untrapped_registers_are_kept_apart() {
    constexpr std::uint64_t ours = 0x00ff'ffff; // DISR_EL1 keeps some of it: ISS, IDS, A
    constexpr std::uint64_t theirs = 0x0055'5555;
    guest().create_and_boot();
    (void)swap_untrapped(ours);
    const Mailbox& first = guest().execute(0, Operation::swap_untrapped, {theirs});
    expect_equal("DISR_EL1 in a new VM", first.result[0], 0);
    expect_equal("TPIDR2_EL0 in a new VM", first.result[1], 0);
    const UntrappedImage back = swap_untrapped(ours);
    expect_equal("our DISR_EL1 after the VM had the CPU", back.disr, 0);
    expect_equal("our TPIDR2_EL0 after the VM had the CPU", back.tpidr2, 0);
    const Mailbox& second = guest().execute(0, Operation::swap_untrapped, {0});
    expect_equal("DISR_EL1 after we had the CPU", second.result[0], 0);
    expect_equal("TPIDR2_EL0 after we had the CPU", second.result[1], 0);
    guest().finish();
}

// Without an exit of its own, the VM gives the CPU back when an interrupt for us comes.
void preempted_by_our_interrupt() {
    guest().create_and_boot();
    guest().prepare(0, Operation::spin);
    allow_interrupt(physical_timer().intid(), [](std::uint32_t) { physical_timer().stop(); });
    const std::uint64_t begin = now();
    physical_timer().start_at(begin + ticks_of_ms(20));
    unsigned runs = 0;
    const bool came = wait_until(3000, [&] {
        const HypercallResult result = guest().run_once(0);
        ++runs;
        expect_equal("vcpu_run", static_cast<std::uint64_t>(result.error), GH_ERROR_OK);
        expect_equal("state", result.x1, GH_VCPU_STATE_READY);
        return interrupt_count(physical_timer().intid()) == 1;
    });
    expect(came, "our timer's interrupt comes while the VM spins");
    expect(now() < begin + ticks_of_ms(1000), "it comes in time");
    Mailbox& box = guest().mailbox(0);
    box.stop = 1;
    (void)guest().mailbox(0); // cleaned
    guest().run_to_signal(0);
    expect(guest().mailbox(0).result[0] > 0, "the VM ran");
    guest().finish();
}

std::uint64_t run_there(std::uint64_t vcpu) {
    for (int tries = 0; tries < 1'000'000; ++tries) {
        const HypercallResult result = guest().run_once(static_cast<unsigned>(vcpu));
        if (result.error != GH_ERROR_OK) {
            return 0xe000 + static_cast<std::uint64_t>(result.error);
        }
        if (result.x1 != GH_VCPU_STATE_READY && result.x1 != GH_VCPU_STATE_BLOCKED) {
            return result.x1;
        }
    }
    return 0xffff;
}

// A vCPU run by one CPU and then by another takes its whole state with it.
void moves_between_cpus() {
    guest().create_and_boot();
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        guest().prepare(0, Operation::hold_registers, {device, seed});
        const unsigned first = seed % 2 == 0 ? 1 : 0;
        const std::uint64_t state = first == 0 ? run_there(0) : run_on(1, run_there, 0);
        expect_equal("state", state, GH_VCPU_STATE_VMMIO_WRITE);
        const std::uint64_t end = first == 0 ? run_on(1, run_there, 0) : run_there(0);
        expect_equal("state", end, GH_VCPU_STATE_VMMIO_WRITE);
        const auto changed = static_cast<std::int64_t>(guest().mailbox(0).result[0]);
        if (changed >= 0) {
            fail("the VM's register {} changed on its way to another CPU", changed);
        }
    }
    guest().finish();
}

// Two CPUs want the same vCPU: one runs it, the other is told BLOCKED.
void run_by_two_cpus() {
    guest().create_and_boot();
    guest().prepare(0, Operation::spin);
    // If we are the one that runs it, this ends the call again and again.
    allow_interrupt(physical_timer().intid(),
                    [](std::uint32_t) { physical_timer().start_at(now() + ticks_of_ms(5)); });
    physical_timer().start_at(now());
    start_on(1, run_there, 0);
    bool blocked = false;
    const bool seen = wait_until(3000, [&] {
        const HypercallResult result = guest().run_once(0);
        expect_equal("vcpu_run", static_cast<std::uint64_t>(result.error), GH_ERROR_OK);
        blocked = blocked || result.x1 == GH_VCPU_STATE_BLOCKED;
        Mailbox& box = guest().mailbox(0);
        if (blocked && box.stop == 0) {
            box.stop = 1;
            (void)guest().mailbox(0);
        }
        return blocked;
    });
    guest().mailbox(0).stop = 1;
    (void)guest().mailbox(0);
    expect(seen, "BLOCKED while another CPU runs it");
    expect_equal("the other CPU's exit", wait_for(1, 3000), GH_VCPU_STATE_VMMIO_WRITE);
    physical_timer().stop();
    guest().finish();
}

void second_vcpu() {
    guest().create_and_boot();
    const std::uint64_t entry = guest().mailbox(0).secondary_entry;
    const Mailbox& on =
        guest().execute(0, Operation::call_hvc, {psci::cpu_on_64, 1, entry, 0xc0ffee});
    expect_equal("CPU_ON", on.result[0], psci::success);
    expect(wait_for_count(guest().wakeup_irq(1), 0, 3000),
           "CPU_ON raises the second vCPU's wake-up interrupt");
    guest().run_to_signal(1);
    expect_equal("context", guest().mailbox(1).entry_x0, 0xc0ffee);
    expect_equal("affinity", guest().execute(1, Operation::read_identity).result[0] & 0xff00ffffff,
                 1);
    const Mailbox& again = guest().execute(0, Operation::call_hvc, {psci::cpu_on_64, 1, entry, 0});
    expect_equal("a second CPU_ON", again.result[0], static_cast<std::uint64_t>(psci::already_on));
    guest().prepare(1, Operation::call_hvc, {psci::cpu_off_32});
    const VcpuExit off = guest().run(1);
    expect_state(off, GH_VCPU_STATE_POWERED_OFF);
    expect_equal("recoverable", off.data[0], GH_VCPU_POWEROFF_RECOVERABLE);
    expect_equal("AFFINITY_INFO",
                 guest().execute(0, Operation::call_hvc, {psci::affinity_info_64, 1}).result[0],
                 psci::affinity_off);
    expect_equal(
        "CPU_ON after CPU_OFF",
        guest().execute(0, Operation::call_hvc, {psci::cpu_on_64, 1, entry, 0xdecaf}).result[0],
        psci::success);
    guest().run_to_signal(1);
    expect_equal("context", guest().mailbox(1).entry_x0, 0xdecaf);
    guest().finish();
}

// What we do not have the right to do with a vCPU that we may run.
void rights_on_the_vcpu() {
    guest().create_and_boot();
    const std::uint64_t cap = guest().vcpu_cap(0);
    for (const std::int64_t error :
         {hypercall(GH_VCPU_KILL, cap).error,
          hypercall(GH_VCPU_REGISTER_WRITE, cap, GH_VCPU_REGISTER_SET_PC, 0, 0).error,
          hypercall(GH_OBJECT_ACTIVATE, cap).error}) {
        expect(error == GH_ERROR_CSPACE_INSUF_RIGHTS, "only running it is allowed");
    }
    guest().finish();
}

void wait_100_ms() {
    (void)wait_until(100, [] { return false; });
}

// Arm DEN0057: what RM gives a VM that asks for it. Asleep, nothing is stolen from it.
void stolen_time() {
    constexpr std::uint64_t pv_time_st = 0xc5000021;
    constexpr std::uint64_t hundred_ms = 100'000'000; // ns
    guest().create_with("pv-time");
    const std::uint64_t at = guest().execute(0, Operation::call_hvc, {pv_time_st}).result[0];
    expect_equal("the structure", at, guest_ram_base + guest_ram_size - 0x10000);
    const auto stolen = [at] {
        const auto kind = static_cast<std::uint64_t>(AccessKind::double_x);
        return guest().execute(0, Operation::load, {at + 8, kind}).result[0];
    };
    guest().execute(0, Operation::gic_begin);
    guest().execute(0, Operation::gic_enable, {guest_bell_spi});
    const std::uint64_t before = stolen();
    guest().prepare(0, Operation::sleep);
    expect_equal("state", guest().run(0).state, GH_VCPU_STATE_EXPECTS_WAKEUP);
    wait_100_ms();
    const std::uint64_t rung = now();
    guest().ring();
    wait_100_ms();
    guest().run_to_signal(0);
    const std::uint64_t grown = stolen() - before;
    const std::uint64_t most = (now() - rung + 1) * 1'000'000 / ticks_of_ms(1);
    if (grown < hundred_ms || grown > most) {
        fail("stolen time grew by {} ns, not by {} to {}", grown, hundred_ms, most);
    }
    guest().finish();
}

constexpr Check checks[] = {
    {"run.powered_off_before_start", powered_off_before_start},
    {"run.entry_state", entry_state},
    {"run.undefined_in_the_vm", undefined_in_the_vm},
    {"run.calls_from_the_vm", calls_from_the_vm},
    {"run.registers_are_kept_apart", registers_are_kept_apart},
    {"run.system_registers_are_kept_apart", system_registers_are_kept_apart},
    {"run.untrapped_registers_are_kept_apart", untrapped_registers_are_kept_apart},
    {"run.preempted_by_our_interrupt", preempted_by_our_interrupt},
    {"run.moves_between_cpus", moves_between_cpus, Needs::hypervisor_smp},
    {"run.by_two_cpus", run_by_two_cpus, Needs::hypervisor_smp},
    {"run.second_vcpu", second_vcpu},
    {"run.stolen_time", stolen_time},
    {"run.rights_on_the_vcpu", rights_on_the_vcpu},
};

} // namespace

std::span<const Check> guest_run_checks() {
    return checks;
}

} // namespace test
