// SPDX-License-Identifier: BSD-3-Clause
// The ways in which a VM ends, what vcpu_run says then, and what its creator is told.
#include "calls/psci.hpp"
#include "check/tables.hpp"
#include "machine/clock.hpp"
#include "machine/cpus.hpp"
#include "machine/interrupts.hpp"
#include "vm/guest.hpp"

namespace test {

namespace {

void expect_terminated(unsigned vcpu) {
    const VcpuExit exit = guest().run(vcpu);
    if (exit.state != GH_VCPU_STATE_POWERED_OFF || exit.data[0] != GH_VCPU_POWEROFF_TERMINATED) {
        fail("vCPU {}: state {x}, data {x}, expected POWERED_OFF, terminated", vcpu, exit.state,
             exit.data[0]);
    }
}

void system_off() {
    guest().create_and_boot();
    guest().prepare(0, Operation::call_hvc, {psci::system_off_32});
    expect_terminated(0);
    expect_terminated(1);
    guest().expect_exited(GH_RM_EXIT_PLATFORM_OFF);
    guest().tear_down();
}

void system_off_by_second_vcpu() {
    guest().create_and_boot();
    guest().execute(0, Operation::call_hvc,
                    {psci::cpu_on_64, 1, guest().mailbox(0).secondary_entry, 0});
    guest().run_to_signal(1);
    guest().prepare(1, Operation::call_hvc, {psci::system_off_32});
    expect_terminated(1);
    expect_terminated(0);
    guest().expect_exited(GH_RM_EXIT_PLATFORM_OFF);
    guest().tear_down();
}

void system_reset() {
    guest().create_and_boot();
    guest().prepare(0, Operation::call_hvc, {psci::system_reset_32});
    for (int again = 0; again < 3; ++again) { // the v11 driver asks until it knows of the end
        const VcpuExit exit = guest().run(0);
        expect_equal("state", exit.state, GH_VCPU_STATE_PSCI_SYSTEM_RESET);
        expect_equal("a plain SYSTEM_RESET", exit.data[0], std::uint64_t{1} << 63);
        expect_equal("data 2", exit.data[1], 0);
    }
    guest().expect_exited(GH_RM_EXIT_PLATFORM_RESET);
    guest().tear_down();
}

void system_reset2() {
    constexpr std::uint64_t vendor_type = 0x80001234;
    constexpr std::uint64_t cookie = 0x1122'3344'5566'7788;
    guest().create_and_boot();
    const Mailbox& box =
        guest().execute(0, Operation::call_hvc, {psci::system_reset2_64, 0x1234, 0});
    expect_equal("a reserved type", box.result[0],
                 static_cast<std::uint64_t>(psci::invalid_parameters));
    guest().prepare(0, Operation::call_hvc, {psci::system_reset2_64, vendor_type, cookie});
    const VcpuExit exit = guest().run(0);
    expect_equal("state", exit.state, GH_VCPU_STATE_PSCI_SYSTEM_RESET);
    expect_equal("type and form", exit.data[0], std::uint64_t{1} << 62 | vendor_type);
    expect_equal("cookie", exit.data[1], cookie);
    const RpcNotification exited = rpc().wait_for_notification(GH_RM_NOTIF_VM_EXITED);
    PayloadReader reader(exited.bytes());
    expect_equal("VMID in VM_EXITED", reader.u16(), guest().vmid());
    const std::uint16_t type = reader.u16();
    expect(type == GH_RM_EXIT_SYSTEM_RESET2 || type == GH_RM_EXIT_PLATFORM_RESET,
           "the exit type is a reset");
    guest().tear_down();
}

void last_vcpu_off() {
    guest().create_and_boot();
    guest().prepare(0, Operation::call_hvc, {psci::cpu_off_32});
    const VcpuExit exit = guest().run(0);
    expect_equal("state", exit.state, GH_VCPU_STATE_POWERED_OFF);
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

// After the end no vCPU runs again, whatever is called; and one VM_EXITED is enough.
void one_exit_notification() {
    guest().create_and_boot();
    guest().prepare(0, Operation::call_hvc, {psci::system_off_32});
    expect_terminated(0);
    guest().expect_exited(GH_RM_EXIT_PLATFORM_OFF);
    for (int i = 0; i < 10; ++i) {
        expect_terminated(0);
        expect_terminated(1);
    }
    guest().ring();
    expect_equal("own VMID", rpc().must(GH_RM_VM_GET_VMID).u32(), GH_VMID_PRIMARY);
    expect(rpc().no_notification(), "there is no second notification");
    guest().tear_down();
}

void stop_while_off() {
    guest().begin();
    guest().create();
    guest().stop(); // started, never run
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    guest().tear_down();
}

void vcpu_after_stop() {
    guest().create_and_boot();
    guest().stop();
    guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
    const HypercallResult result = guest().run_once(0);
    const bool ended = result.error == GH_ERROR_OBJECT_STATE ||
                       (result.error == GH_ERROR_OK && result.x1 == GH_VCPU_STATE_POWERED_OFF);
    expect(ended, "vcpu_run after a forced stop says that the vCPU is gone");
    guest().tear_down();
}

std::uint64_t spin_there(std::uint64_t) {
    for (int tries = 0; tries < 10'000'000; ++tries) {
        const HypercallResult result = guest().run_once(0);
        if (result.error != GH_ERROR_OK ||
            (result.x1 != GH_VCPU_STATE_READY && result.x1 != GH_VCPU_STATE_BLOCKED)) {
            return result.error != GH_ERROR_OK ? 0xe000 + static_cast<std::uint64_t>(result.error)
                                               : result.x1;
        }
    }
    return 0xffff;
}

// Stopped while another CPU is inside vcpu_run and the VM never exits by itself.
void stop_while_running() {
    for (std::uint64_t round = 0; round < 30; ++round) {
        guest().create_and_boot();
        guest().prepare(0, Operation::spin);
        start_on(1, spin_there, 0);
        for (std::uint64_t delay = 0; delay < round * 1237 % 8000; ++delay) {
            asm volatile("yield");
        }
        guest().stop();
        guest().expect_exited(GH_RM_EXIT_STOP_FORCED);
        const std::uint64_t end = wait_for(1, 3000);
        expect(end == GH_VCPU_STATE_POWERED_OFF || end == 0xe000 + GH_ERROR_OBJECT_STATE,
               "vcpu_run on the other CPU ends");
        guest().tear_down();
    }
}

// As Linux's gunyah_wdt: it hears the bark, feeds in time, then no more.
void watchdog_bites() {
    constexpr std::uint64_t control = 0x86000005;
    constexpr std::uint64_t ping = 0x86000007;
    constexpr std::uint64_t set_time = 0x86000008; // bark and bite in milliseconds
    const auto service = [](std::uint64_t function, std::uint64_t x1, std::uint64_t x2) {
        const Mailbox& box = guest().execute(0, Operation::call_smc, {function, x1, x2});
        expect_equal("its service's answer", box.result[0], 0);
    };
    guest().create_and_boot();
    guest().execute(0, Operation::gic_begin);
    guest().execute(0, Operation::gic_enable, {guest_bark_spi});
    service(set_time, 10, 30'000);
    service(control, 3, 0);
    const bool barked = wait_until(3000, [] {
        return guest().execute(0, Operation::gic_acknowledge).result[0] == guest_bark_spi;
    });
    expect(barked, "it barks");
    guest().execute(0, Operation::gic_end, {guest_bark_spi});
    service(ping, 0, 0);
    service(set_time, 0, 50);
    guest().prepare(0, Operation::spin);
    const VcpuExit exit = guest().run(0);
    expect_equal("state", exit.state, GH_VCPU_STATE_FAULT);
    expect_equal("reason", exit.data[0], GH_VCPU_FAULT_WATCHDOG_BITE);
    guest().expect_exited(GH_RM_EXIT_WATCHDOG_BITE);
    guest().tear_down();
}

void off_then_again() {
    for (int round = 0; round < 3; ++round) {
        guest().create_and_boot();
        guest().prepare(0, Operation::call_hvc, {psci::system_off_32});
        expect_terminated(0);
        guest().expect_exited(GH_RM_EXIT_PLATFORM_OFF);
        guest().tear_down();
    }
}

constexpr Check checks[] = {
    {"end.system_off", system_off},
    {"end.system_off_by_second_vcpu", system_off_by_second_vcpu},
    {"end.system_reset", system_reset},
    {"end.system_reset2", system_reset2},
    {"end.last_vcpu_off", last_vcpu_off},
    {"end.one_exit_notification", one_exit_notification},
    {"end.stop_while_off", stop_while_off},
    {"end.vcpu_after_stop", vcpu_after_stop},
    {"end.stop_while_running", stop_while_running, Needs::hypervisor_smp, 60'000},
    {"end.watchdog_bites", watchdog_bites},
    {"end.off_then_again", off_then_again, Needs::hypervisor, 30'000},
};

} // namespace

std::span<const Check> guest_end_checks() {
    return checks;
}

} // namespace test
