// SPDX-License-Identifier: BSD-3-Clause
// Hardware interrupts given to VMs, and the guest's timer interrupts.
#include "interrupt/gicv3.hpp"
#include "interrupt/list_register.hpp"
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

using rt::Error;

class Hardware : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(2);
    }
    void TearDown() override {
        for (const std::uint32_t intid : {40u, 41u, 42u, 43u}) {
            line(intid).unbind();
        }
        VicTest::TearDown();
    }
    /// The line fires: EL2 takes it on the CPU it is routed to.
    bool fire(std::uint32_t intid) {
        EXPECT_TRUE(machine->spis.enabled.contains(intid));
        EXPECT_FALSE(machine->spis.active.contains(intid));
        machine->spis.active.insert(intid);
        return HwIrq::deliver(intid);
    }
    bool fire_timer(unsigned cpu, std::uint32_t intid) {
        EXPECT_FALSE(machine->active(cpu, intid)) << "an active one does not fire";
        machine->privates[cpu].active.insert(intid);
        fake::set_cpu_index(cpu);
        return vcpu[cpu]->interrupts.raise_hardware(intid);
    }
};

TEST_F(Hardware, GuestDeactivatesThePhysicalInterrupt) {
    ASSERT_TRUE(line(40).bind(*vic, {50, 0}));
    EXPECT_FALSE(machine->spis.enabled.contains(40));
    enable(50, 0xa0, false);
    EXPECT_TRUE(machine->spis.enabled.contains(40));
    EXPECT_TRUE(fire(40));
    EXPECT_EQ(vcpu[0]->told, 1u);
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), 50u);
    EXPECT_TRUE(machine->active(0, 40));
    guest[0].end(50);
    EXPECT_FALSE(machine->active(0, 40));
    EXPECT_FALSE(guest[0].maintenance()) << "without any exit";
    EXPECT_TRUE(fire(40)) << "and again, before any exit";
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), std::vector<std::uint32_t>{50});
    EXPECT_FALSE(machine->active(0, 40));
}

TEST_F(Hardware, SettingsAreMirrored) {
    vcpu[1]->home = 3;
    ASSERT_TRUE(line(41).bind(*vic, {41, 0}));
    EXPECT_EQ(machine->route[41], fake::MachineGic::affinity(0));
    enable(41, 0xa0, true);
    EXPECT_EQ(machine->spis.trigger[41 / 16] >> (41 % 16 * 2) & 3, 2u);
    write(0, fake::icfgr + 8, 0);
    EXPECT_EQ(machine->spis.trigger[41 / 16], 0u);
    write(0, fake::irouter + 41 * 8, 1, 8);
    EXPECT_EQ(machine->route[41], fake::MachineGic::affinity(3));
    vcpu[1]->home = 2;
    vcpu[1]->interrupts.physical_cpu_changed();
    EXPECT_EQ(machine->route[41], fake::MachineGic::affinity(2));
    set_bit(0, fake::icenabler, 41);
    EXPECT_FALSE(machine->spis.enabled.contains(41));
    set_bit(0, fake::ispendr, 41);
    EXPECT_TRUE(machine->spis.pending.contains(41));
    EXPECT_TRUE(bit(0, fake::ispendr, 41)) << "disabled: the hardware keeps it";
    EXPECT_FALSE(bit(0, fake::ispendr, 42));
    set_bit(0, fake::icpendr, 41);
    EXPECT_FALSE(machine->spis.pending.contains(41));
    EXPECT_FALSE(bit(0, fake::ispendr, 41));
}

TEST_F(Hardware, BindTakesOverTheVirtualSettings) {
    enable(42, 0xa0, true);
    write(0, fake::irouter + 42 * 8, 1, 8);
    ASSERT_TRUE(line(42).bind(*vic, {42, 0}));
    EXPECT_TRUE(machine->spis.enabled.contains(42));
    EXPECT_EQ(machine->route[42], fake::MachineGic::affinity(1));
    EXPECT_EQ(machine->spis.trigger[42 / 16] >> (42 % 16 * 2) & 3, 2u);
}

TEST_F(Hardware, BindErrors) {
    EXPECT_EQ(line(40).bind(*vic, {20, 0}).error(), Error::argument_invalid) << "private";
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    EXPECT_EQ(line(40).bind(*vic, {41, 0}).error(), Error::virq_bound);
    EXPECT_EQ(line(41).bind(*vic, {40, 0}).error(), Error::busy);
}

TEST_F(Hardware, UnboundOneBelongsToNobody) {
    EXPECT_FALSE(HwIrq::deliver(40));
    EXPECT_FALSE(HwIrq::deliver(99));
    EXPECT_FALSE(HwIrq::deliver(27));
    EXPECT_FALSE(HwIrq::deliver(1019));
    EXPECT_FALSE(HwIrq::deliver(1020));
}

TEST_F(Hardware, UnbindWhilePending) {
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    enable(40);
    machine->spis.pending.insert(40);
    EXPECT_TRUE(fire(40));
    line(40).unbind();
    EXPECT_FALSE(machine->spis.enabled.contains(40));
    EXPECT_FALSE(machine->spis.pending.contains(40));
    EXPECT_FALSE(machine->active(0, 40));
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Hardware, UnbindWhileInAListRegister) {
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    enable(40);
    EXPECT_TRUE(fire(40));
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    vcpu[0]->told = 0;
    fake::set_cpu_index(1);
    line(40).unbind();
    EXPECT_EQ(vcpu[0]->told, 1u);
    EXPECT_FALSE(machine->spis.enabled.contains(40));
    EXPECT_EQ(line(40).bind(*vic, {45, 0}).error(), Error::busy) << "the guest may still end it";
    enter(0);
    EXPECT_FALSE(machine->active(0, 40));
    ASSERT_EQ(guest[0].list_registers().size(), 1u);
    EXPECT_EQ(guest[0].list_registers()[0] & ich::lr_hardware, 0u);
    EXPECT_TRUE(line(40).bind(*vic, {45, 0}));
    guest[0].end(40);
}

TEST_F(Hardware, UnbindAfterTheVmIsGone) {
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    enable(40);
    EXPECT_TRUE(fire(40));
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    drop_vm();
    EXPECT_FALSE(machine->active(0, 40)) << "nobody is left to end it";
    line(40).unbind();
    EXPECT_FALSE(machine->spis.enabled.contains(40));
}

TEST_F(Hardware, GuestClearsPendingOfOneThatFired) {
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    enable(40);
    EXPECT_TRUE(fire(40));
    set_bit(0, fake::icpendr, 40);
    EXPECT_FALSE(machine->active(0, 40)) << "or it would never fire again";
    EXPECT_TRUE(fire(40));
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
    enter(1);
    set_bit(0, fake::icpendr, 40);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_FALSE(machine->active(0, 40));
}

TEST_F(Hardware, GuestClearsActive) {
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    enable(40);
    EXPECT_TRUE(fire(40));
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    set_bit(0, fake::icactiver, 40);
    EXPECT_FALSE(machine->active(0, 40));
}

TEST_F(Hardware, SpilledActiveOneIsDeactivated) {
    drop_vm();
    make_vm(1, 1);
    ASSERT_TRUE(line(40).bind(*vic, {40, 0}));
    enable(40, 0xa0);
    enable(50, 0x40);
    EXPECT_TRUE(fire(40));
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    set_bit(0, fake::ispendr, 50);
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 50u);
    guest[0].end(50);
    guest[0].end(40);
    if (guest[0].maintenance()) {
        vcpu[0]->interrupts.handle_maintenance();
    }
    enter(0);
    EXPECT_FALSE(machine->active(0, 40));
    EXPECT_FALSE(bit(0, fake::isactiver, 40));
}

TEST_F(Hardware, TimerIsEndedByTheGuest) {
    enable(27, 0xa0, false);
    enter(0);
    ASSERT_TRUE(fire_timer(0, 27));
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), 27u);
    EXPECT_TRUE(machine->active(0, 27));
    guest[0].end(27);
    EXPECT_FALSE(machine->active(0, 27));
    ASSERT_TRUE(fire_timer(0, 27)) << "again, before any exit";
    enter(0);
    EXPECT_TRUE(machine->active(0, 27));
    EXPECT_EQ(guest[0].handle_all(), std::vector<std::uint32_t>{27});
    EXPECT_FALSE(machine->active(0, 27));
}

TEST_F(Hardware, TimerOfAVcpuThatLeavesAndComesBackElsewhere) {
    enable(27, 0xa0, false);
    enable(30, 0xa0, false);
    enter(0);
    ASSERT_TRUE(fire_timer(0, 27));
    ASSERT_TRUE(fire_timer(0, 30));
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 27u);
    exit(0);
    EXPECT_FALSE(machine->active(0, 27)) << "the next vCPU's timer must be able to fire";
    EXPECT_FALSE(machine->active(0, 30));
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());

    fake::set_cpu_index(3);
    vcpu[0]->interrupts.enter();
    EXPECT_TRUE(machine->active(3, 27));
    EXPECT_TRUE(machine->active(3, 30));
    fake::GuestInterface moved(3, machine.get());
    moved.end(27);
    EXPECT_FALSE(machine->active(3, 27));
    EXPECT_EQ(moved.handle_all(), std::vector<std::uint32_t>{30});
    EXPECT_FALSE(machine->active(3, 30));
    vcpu[0]->interrupts.exit();
    vcpu[0]->interrupts.enter();
    EXPECT_FALSE(machine->active(3, 27));
}

TEST_F(Hardware, TwoVcpusOnOneCpuKeepTheirTimersApart) {
    enable(27, 0xa0, false, 0);
    enable(27, 0xa0, false, 1);
    enter(0);
    ASSERT_TRUE(fire_timer(0, 27));
    exit(0);
    vcpu[1]->interrupts.enter();
    EXPECT_FALSE(machine->active(0, 27));
    EXPECT_FALSE(guest[0].signalled());
    vcpu[1]->interrupts.exit();
    vcpu[0]->interrupts.enter();
    EXPECT_TRUE(machine->active(0, 27));
    EXPECT_TRUE(guest[0].signalled());
}

TEST_F(Hardware, TimerFiredWhileDisabledFiresAgainWhenEnabled) {
    enter(0);
    ASSERT_TRUE(fire_timer(0, 27));
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_TRUE(machine->active(0, 27)) << "no storm";
    exit(0);
    enter(0);
    EXPECT_TRUE(machine->active(0, 27));
    enable(27, 0xa0, false);
    enter(0);
    EXPECT_FALSE(machine->active(0, 27)) << "a line that is still asserted raises it again";
    EXPECT_FALSE(guest[0].signalled());
}

TEST_F(Hardware, TimerPendingClearedByTheGuest) {
    enable(27, 0xa0, false);
    enter(0);
    ASSERT_TRUE(fire_timer(0, 27));
    enter(0);
    set_bit(1, fake::icpendr, 27);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_FALSE(machine->active(0, 27));
}

// Whoever took the interrupt wakes it.
TEST_F(Hardware, TimerOfAVcpuThatSleepsWhileLoadedCanBeDelivered) {
    enable(27, 0xa0, false);
    enter(0);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    ASSERT_TRUE(fire_timer(0, 27));
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
}

} // namespace
} // namespace hyp
