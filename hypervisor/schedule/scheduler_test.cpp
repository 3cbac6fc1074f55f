// SPDX-License-Identifier: BSD-3-Clause
// Priorities, round robin, waiting and waking on pretended CPUs.
#include "schedule/physical_interrupts.hpp"
#include "schedule/vm_fixture.hpp"

namespace hyp {
namespace {

class Scheduling : public ScheduleTest {};

TEST_F(Scheduling, IdlesWithoutVcpus) {
    EXPECT_TRUE(idles());
}

TEST_F(Scheduling, RunsWhatIsPoweredOn) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    EXPECT_TRUE(idles());
    ASSERT_TRUE(vcpu->power_on(0x1000, 42, 0));
    EXPECT_TRUE(enters(vcpu));
    EXPECT_EQ(vcpu->registers.pc, 0x1000u);
    EXPECT_EQ(vcpu->registers.x[0], 42u);
    EXPECT_EQ(fake::guest_hardware().vttbr, vm.memory->vttbr());
    EXPECT_EQ(vcpu->power_on(0, 0, 0).error(), rt::Error::busy);
    retire({vcpu});
}

TEST_F(Scheduling, HigherPriorityPreempts) {
    TestVm vm;
    const Ref<Vcpu> low = vm.make_vcpu(0, {.priority = 10});
    const Ref<Vcpu> high = vm.make_vcpu(1, {.priority = 20});
    ASSERT_TRUE(low->power_on(0, 0, 0));
    EXPECT_TRUE(enters(low));
    ASSERT_TRUE(high->power_on(0, 0, 0));
    EXPECT_TRUE(enters(high));
    high->wait_for_interrupt(0);
    EXPECT_TRUE(enters(low));
    high->virq_pending();
    EXPECT_TRUE(enters(high));
    retire({low, high});
}

TEST_F(Scheduling, EqualsTakeTurns) {
    TestVm vm;
    const Ref<Vcpu> a = vm.make_vcpu(0, {});
    const Ref<Vcpu> b = vm.make_vcpu(1, {});
    ASSERT_TRUE(a->power_on(0, 0, 0));
    ASSERT_TRUE(b->power_on(0, 0, 0));
    EXPECT_TRUE(enters(a));
    EXPECT_TRUE(enters(a)) << "the time slice is not over";
    fake::guest_hardware().counter += GH_VCPU_TIMESLICE_DEFAULT_NS;
    fake::gic_cpu(0).pending.push_back(ppi_hypervisor_timer);
    handle_physical_interrupts();
    EXPECT_TRUE(enters(b));
    scheduler().yield();
    EXPECT_TRUE(enters(a));
    retire({a, b});
}

TEST_F(Scheduling, WakeBeforeTheWaitIsOverIsNotLost) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    EXPECT_TRUE(enters(vcpu));
    vcpu->wait_for_interrupt(0);
    vcpu->virq_pending(); // between WFI and the end of its exit
    EXPECT_TRUE(enters(vcpu));
    EXPECT_EQ(scheduler().loaded(), vcpu.get());
    vcpu->wait_for_interrupt(0);
    EXPECT_TRUE(idles()) << "it must not have stayed in the queue";
    retire({vcpu});
}

TEST_F(Scheduling, TimerOfAnUnloadedWaiterWakesIt) {
    TestVm vm;
    const Ref<Vcpu> sleeper = vm.make_vcpu(0, {.priority = 20});
    const Ref<Vcpu> other = vm.make_vcpu(1, {.priority = 10});
    ASSERT_TRUE(sleeper->power_on(0, 0, 0));
    ASSERT_TRUE(other->power_on(0, 0, 0));
    EXPECT_TRUE(enters(sleeper));
    vm.enable_timer_interrupt(0);
    vm.enable_group1();
    open_cpu_interface();
    sleeper->guest.virtual_timer = {.control = 1, .compare = 5000};
    sleeper->wait_for_interrupt(0);
    EXPECT_TRUE(enters(other));
    EXPECT_EQ(fake::guest_hardware().deadline, 5000u);
    fake::guest_hardware().counter = 5000;
    fake::gic_cpu(0).pending.push_back(ppi_hypervisor_timer);
    handle_physical_interrupts();
    EXPECT_TRUE(enters(sleeper));
    retire({sleeper, other});
}

TEST_F(Scheduling, PoweredOffIsUnloadedAndReset) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    ASSERT_TRUE(vcpu->power_on(0x1000, 0, 0));
    EXPECT_TRUE(enters(vcpu));
    vcpu->registers.x[5] = 99;
    vcpu->power_off();
    EXPECT_FALSE(vcpu->is_off()) << "its CPU still holds its registers";
    EXPECT_TRUE(idles());
    EXPECT_TRUE(vcpu->is_off());
    ASSERT_TRUE(vcpu->power_on(0x2000, 0, 0));
    EXPECT_TRUE(enters(vcpu));
    EXPECT_EQ(vcpu->registers.x[5], 0u);
    retire({vcpu});
}

TEST_F(Scheduling, WorkForAnotherCpuSendsAnInterrupt) {
    TestVm vm;
    scheduler().add_cpu(0);
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {.cpu = 1});
    on(1);
    EXPECT_TRUE(idles());
    on(0);
    const std::size_t before = fake::gic_cpu(0).sgi1r.size();
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    EXPECT_EQ(fake::gic_cpu(0).sgi1r.size(), before + 1);
    on(1);
    EXPECT_TRUE(enters(vcpu));
    retire({vcpu});
}

TEST_F(Scheduling, KilledVcpuLeavesTheHardware) {
    TestVm vm;
    const Ref<Vcpu> vcpu = vm.make_vcpu(0, {});
    ASSERT_TRUE(vcpu->power_on(0, 0, 0));
    EXPECT_TRUE(enters(vcpu));
    ASSERT_TRUE(vcpu->kill());
    EXPECT_EQ(vcpu->check().error(), rt::Error::busy) << "a CPU holds its state";
    EXPECT_TRUE(idles());
    EXPECT_EQ(vcpu->check().error(), rt::Error::object_state);
    EXPECT_EQ(vcpu->kill().error(), rt::Error::object_state);
    EXPECT_EQ(fake::guest_hardware().vttbr, 0u);
}

} // namespace
} // namespace hyp
