// SPDX-License-Identifier: BSD-3-Clause
// vCPUs that change their physical CPU: by a new affinity, or because they have none.
#include "schedule/physical_interrupts.hpp"
#include "schedule/vm_fixture.hpp"

#include <algorithm>

namespace hyp {
namespace {

class Migration : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        if (scheduler().cpu_count() < 2) {
            scheduler().add_cpu(0);
            scheduler().add_cpu(1);
        }
    }

    /// Reschedule interrupts that CPU `from` has sent since the last question.
    static std::size_t kicks(unsigned from) {
        static std::array<std::size_t, 2> seen{};
        const std::size_t now = fake::gic_cpu(from).sgi1r.size();
        return now - std::exchange(seen[from], now);
    }

    static inline Ref<Vcpu> to_start;
    /// CPU `cpu` idles until `vcpu` is powered on there.
    static bool starts_from_idle(unsigned cpu, const Ref<Vcpu>& vcpu) {
        on(cpu);
        to_start = vcpu;
        fake::guest_hardware().on_idle = [] {
            if (!to_start) {
                throw Idle{};
            }
            EXPECT_TRUE(std::exchange(to_start, nullptr)->power_on(0, 0, 0));
        };
        return enters(vcpu);
    }
};

TEST_F(Migration, QueuedVcpuChangesQueue) {
    TestVm vm;
    const Ref<Vcpu> first = vm.make_vcpu(0, {});
    const Ref<Vcpu> second = vm.make_vcpu(1, {});
    ASSERT_TRUE(first->power_on(0, 0, 0));
    ASSERT_TRUE(second->power_on(0, 0, 0));
    ASSERT_TRUE(enters(first));
    (void)kicks(0);
    second->set_affinity(1);
    EXPECT_EQ(kicks(0), 1u);
    scheduler().yield();
    EXPECT_TRUE(enters(first)) << "alone again";
    on(1);
    EXPECT_TRUE(enters(second));
    retire({first, second});
}

TEST_F(Migration, RunningVcpuLeavesItsCpu) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    ASSERT_TRUE(enters(vcpu));
    on(1);
    (void)kicks(1);
    vcpu->set_affinity(1);
    EXPECT_EQ(kicks(1), 1u) << "the CPU that runs it must look";
    EXPECT_TRUE(idles()) << "it still runs there";
    on(0);
    EXPECT_TRUE(idles());
    EXPECT_EQ(fake::guest_hardware().loaded, nullptr);
    on(1);
    EXPECT_TRUE(enters(vcpu));
    retire({vcpu});
}

TEST_F(Migration, WaitingVcpuIsFetchedFromWhereItLingers) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    ASSERT_TRUE(enters(vcpu));
    vcpu->wait_for_interrupt(0);
    ASSERT_TRUE(idles());
    EXPECT_EQ(fake::guest_hardware().loaded, &vcpu->guest) << "an idle CPU keeps it loaded";
    vcpu->set_affinity(1);
    vcpu->virq_pending();
    on(1);
    (void)kicks(1);
    EXPECT_TRUE(idles()) << "CPU 0 holds its registers";
    EXPECT_EQ(kicks(1), 1u) << "and is asked for them";
    on(0);
    EXPECT_TRUE(idles());
    on(1);
    EXPECT_TRUE(enters(vcpu));
    retire({vcpu});
}

TEST_F(Migration, BackAndForthBeforeAnyCpuLooks) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    ASSERT_TRUE(enters(vcpu));
    vcpu->set_affinity(1);
    vcpu->set_affinity(0);
    EXPECT_TRUE(enters(vcpu));
    vcpu->set_affinity(1);
    EXPECT_TRUE(idles());
    vcpu->set_affinity(0);
    on(1);
    EXPECT_TRUE(idles());
    on(0);
    EXPECT_TRUE(enters(vcpu));
    retire({vcpu});
}

TEST_F(Migration, TimerOfAMovedWaiterWakesItThere) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    const Ref<Vcpu> other = vm.make_vcpu(1, {.priority = 10});
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    ASSERT_TRUE(other->power_on(0, 0, 0));
    ASSERT_TRUE(enters(vcpu));
    vm.enable_timer_interrupt(0);
    vm.enable_group1();
    open_cpu_interface();
    vcpu->guest.virtual_timer = {.control = 1, .compare = 5000};
    vcpu->wait_for_interrupt(0);
    ASSERT_TRUE(enters(other));
    vcpu->set_affinity(1);
    fake::guest_hardware().counter = 5000;
    fake::gic_cpu(0).pending.push_back(ppi_hypervisor_timer);
    handle_physical_interrupts();
    EXPECT_TRUE(enters(other));
    on(1);
    EXPECT_TRUE(enters(vcpu));
    retire({vcpu, other});
}

TEST_F(Migration, IdleCpuTakesWhatAnotherKeepsWaiting) {
    TestVm vm;
    const Ref<Vcpu> busy = vm.make_vcpu(0, {});
    const Ref<Vcpu> movable = vm.make_vcpu(1, {});
    movable->set_affinity(no_cpu);
    ASSERT_TRUE(starts_from_idle(0, busy));
    ASSERT_TRUE(movable->power_on(0, 0, 0));
    EXPECT_TRUE(enters(busy)) << "it waits for its turn on the CPU that woke it";
    on(1);
    EXPECT_TRUE(enters(movable));
    EXPECT_EQ(movable->physical_cpu(), 1u) << "its hardware interrupts follow";
    retire({busy, movable});
}

TEST_F(Migration, PinnedVcpuIsTakenByNobodyElse) {
    TestVm vm;
    const Ref<Vcpu> busy = vm.make_vcpu(0, {});
    const Ref<Vcpu> pinned = vm.make_vcpu(1, {});
    const Ref<Vcpu> movable = vm.make_vcpu(2, {.priority = 5});
    movable->set_affinity(no_cpu);
    ASSERT_TRUE(starts_from_idle(0, busy));
    ASSERT_TRUE(pinned->power_on(0, 0, 0));
    ASSERT_TRUE(movable->power_on(0, 0, 0));
    on(1);
    EXPECT_TRUE(enters(movable)) << "although one of higher priority waits there";
    retire({busy, pinned, movable});
}

static Ref<Vcpu> woken_while_idle;

TEST_F(Migration, WakeUpOfAMovableVcpuReachesAnIdleCpu) {
    TestVm vm;
    const Ref<Vcpu> busy = vm.make_vcpu(0, {});
    const Ref<Vcpu> movable = vm.make_vcpu(1, {});
    movable->set_affinity(no_cpu);
    ASSERT_TRUE(starts_from_idle(0, busy));
    woken_while_idle = movable;
    (void)kicks(0);
    on(1);
    fake::guest_hardware().on_idle = [] {
        on(0); // while CPU 1 sleeps, CPU 0 makes the vCPU ready
        EXPECT_TRUE(std::exchange(woken_while_idle, nullptr)->power_on(0, 0, 0));
        EXPECT_EQ(kicks(0), 1u);
        on(1);
    };
    EXPECT_TRUE(enters(movable));
    retire({busy, movable});
}

TEST_F(Migration, BecomingProxyWhileLoadedElsewhereIsBlockedAtFirst) {
    TestVm host;
    TestVm vm;
    const Ref<Vcpu> caller = host.make_vcpu(0, {.cpu = 1});
    const Ref<Vcpu> guest = vm.make_vcpu(0, {});
    ASSERT_TRUE(guest->power_on(0, 0, 0));
    ASSERT_TRUE(enters(guest));
    guest->wait_for_interrupt(0);
    ASSERT_TRUE(idles());
    ASSERT_TRUE(guest->bind_virq(GH_VCPU_VIRQ_RUN_WAKEUP, *host.vic, {.number = 40, .vcpu = 0}));
    guest->virq_pending();
    ASSERT_TRUE(caller->power_on(0, 0, 0));
    on(1);
    ASSERT_TRUE(enters(caller));
    RunReport report;
    Ref<Vcpu> lent = guest;
    ASSERT_EQ(scheduler().run_proxy(lent, 0, report), RunStart::reported);
    EXPECT_EQ(report.state, GH_VCPU_STATE_BLOCKED);
    on(0);
    EXPECT_TRUE(idles());
    on(1);
    ASSERT_EQ(scheduler().run_proxy(lent, 0, report), RunStart::runs);
    EXPECT_TRUE(enters(guest));
    retire({caller, guest});
}

TEST_F(Migration, BecomingProxyEndsANormalRun) {
    TestVm host;
    TestVm vm;
    const Ref<Vcpu> guest = vm.make_vcpu(0, {});
    ASSERT_TRUE(guest->power_on(0, 0, 0));
    ASSERT_TRUE(enters(guest));
    ASSERT_TRUE(guest->bind_virq(GH_VCPU_VIRQ_RUN_WAKEUP, *host.vic, {.number = 40, .vcpu = 0}));
    EXPECT_TRUE(idles());
    ASSERT_TRUE(guest->unbind_virq(GH_VCPU_VIRQ_RUN_WAKEUP));
    EXPECT_TRUE(enters(guest));
    retire({guest});
}

} // namespace
} // namespace hyp
