// SPDX-License-Identifier: BSD-3-Clause
// From a source to the guest's handler: states, triggers, priorities, wake-up.
#include "interrupt/list_register.hpp"
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

using Handled = std::vector<std::uint32_t>;

class Delivery : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(2);
        ASSERT_TRUE(source.bind(*vic, {spi, 0}));
    }
    void TearDown() override {
        source.unbind();
        other.unbind();
        VicTest::TearDown();
    }

    static constexpr std::uint32_t spi = 34;
    VirqSource source;
    VirqSource other;
};

TEST_F(Delivery, EdgeReachesTheGuestOnce) {
    enable(spi);
    source.assert_edge();
    EXPECT_EQ(vcpu[0]->told, 1u);
    EXPECT_EQ(vcpu[1]->told, 0u);
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    exit(0);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
}

TEST_F(Delivery, DisabledEdgeIsLatched) {
    write(0, fake::icfgr + 8, 2u << 4);
    vcpu[0]->told = 0;
    source.assert_edge();
    EXPECT_EQ(vcpu[0]->told, 0u);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    EXPECT_TRUE(bit(0, fake::ispendr, spi));
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    enable(spi);
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
}

TEST_F(Delivery, RepeatedEdgesBeforeDeliveryAreOneAndTellOnce) {
    enable(spi);
    source.assert_edge();
    source.assert_edge();
    source.assert_edge();
    EXPECT_EQ(vcpu[0]->told, 1u);
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
}

TEST_F(Delivery, EdgeWhileActiveIsDeliveredAgain) {
    enable(spi);
    source.assert_edge();
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
    source.assert_edge();
    EXPECT_EQ(vcpu[0]->told, 2u) << "a running vCPU must leave the guest to see it";
    enter(0);
    EXPECT_FALSE(guest[0].signalled()) << "not while it is active";
    guest[0].end(spi);
    EXPECT_EQ(guest[0].handle_all(), Handled{spi}) << "without another exit";
}

TEST_F(Delivery, EdgeAfterHandlingButBeforeAnyExit) {
    enable(spi);
    for (int n = 0; n < 5; n++) {
        source.assert_edge();
        enter(0);
        EXPECT_EQ(guest[0].handle_all(), Handled{spi});
    }
    EXPECT_EQ(vcpu[0]->told, 5u);
}

TEST_F(Delivery, LevelStaysPendingUntilTheLineDrops) {
    enable(spi, 0xa0, false);
    source.set_level(true);
    enter(0);
    for (int n = 0; n < 3; n++) {
        EXPECT_EQ(guest[0].handle_all(), Handled{spi});
        ASSERT_TRUE(guest[0].maintenance()) << "EL2 must look at the line again";
        vcpu[0]->interrupts.handle_maintenance();
        EXPECT_FALSE(guest[0].maintenance());
    }
    EXPECT_EQ(guest[0].acknowledge(), spi);
    source.set_level(false);
    enter(0);
    guest[0].end(spi);
    EXPECT_FALSE(guest[0].maintenance());
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Delivery, LevelThatDropsBeforeDeliveryIsGone) {
    enable(spi, 0xa0, false);
    source.set_level(true);
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
    source.set_level(false);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
}

TEST_F(Delivery, LevelOfEdgeTriggeredInterruptCountsRisingEdges) {
    enable(spi);
    source.set_level(true);
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
    EXPECT_FALSE(guest[0].maintenance());
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    source.set_level(true);
    enter(0);
    EXPECT_FALSE(guest[0].signalled()) << "no new edge";
    source.set_level(false);
    source.set_level(true);
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
}

TEST_F(Delivery, EventOnLevelTriggeredInterruptIsDeliveredOnce) {
    enable(spi, 0xa0, false);
    source.assert_edge();
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
    source.assert_edge(); // while active, in a list register
    enter(0);
    guest[0].end(spi);
    ASSERT_TRUE(guest[0].maintenance());
    vcpu[0]->interrupts.handle_maintenance();
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_FALSE(guest[0].maintenance());
}

TEST_F(Delivery, HigherPriorityPreempts) {
    ASSERT_TRUE(other.bind(*vic, {35, 0}));
    enable(spi, 0xa0);
    enable(35, 0x40);
    source.assert_edge();
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    other.assert_edge();
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), 35u);
    guest[0].end(35);
    guest[0].end(spi);
    EXPECT_FALSE(guest[0].signalled());
}

TEST_F(Delivery, EqualOrLowerPriorityDoesNotPreempt) {
    ASSERT_TRUE(other.bind(*vic, {35, 0}));
    enable(spi, 0xa0);
    enable(35, 0xa0);
    source.assert_edge();
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
    other.assert_edge();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    guest[0].end(spi);
    EXPECT_EQ(guest[0].handle_all(), Handled{35});
}

TEST_F(Delivery, BinaryPointGroupsPriorities) {
    ASSERT_TRUE(other.bind(*vic, {35, 0}));
    enable(spi, 0xa0);
    enable(35, 0x90);
    source.assert_edge();
    enter(0);
    guest[0].set_bpr1(6); // only bits 7:6 preempt: 0xa0 and 0x90 are one group
    EXPECT_EQ(guest[0].acknowledge(), spi);
    other.assert_edge();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    guest[0].end(spi);
    set_bit(0, fake::icpendr, 35);
    guest[0].set_bpr1(3);
    source.assert_edge();
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
    other.assert_edge();
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Delivery, PriorityMaskDecidesWakeUp) {
    enable(spi, 0xa0);
    enter(0);
    guest[0].set_pmr(0xa0);
    source.assert_edge();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    enter(0);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable()) << "the same from a list register";
    exit(0);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable()) << "and from memory";
    enter(0);
    guest[0].set_pmr(0xa8);
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
    exit(0);
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Delivery, SleepingRedistributorWakesFromPowerDownOnly) {
    enable(spi, 0xa0);
    write(1, 0x14, 2); // GICR_WAKER.ProcessorSleep
    enter(0);
    guest[0].set_pmr(0);
    exit(0);
    source.assert_edge();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable()) << "a WFI";
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable(true));
    EXPECT_FALSE(vcpu[0]->interrupts.could_deliver(27, true)) << "not enabled";
    write(1, 0x14, 0);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable(true)) << "awake";
}

TEST_F(Delivery, GroupEnablesDecideWakeUp) {
    enable(spi);
    source.assert_edge();
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
    write(0, 0, 0); // GICD_CTLR.EnableGrp1
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    write(0, 0, 2);
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
    fake::gic_cpu(0).vmcr &= ~ich::vmcr_group1;
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Delivery, Group0HasEnablesOfItsOwn) {
    enable(spi);
    write(0, 0x84, ~(1u << (spi - 32))); // GICD_IGROUPR1
    source.assert_edge();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable()) << "EnableGrp0 is off";
    write(0, 0, 3);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable()) << "so is ICC_IGRPEN0_EL1";
    enter(0);
    EXPECT_FALSE(guest[0].signalled()) << "not as Group 1";
    fake::gic_cpu(0).vmcr |= ich::vmcr_group0;
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
    write(0, 0x84, ~0u);
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
}

TEST_F(Delivery, AlreadyHandledInListRegisterDoesNotWake) {
    enable(spi);
    source.assert_edge();
    enter(0);
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable());
    guest[0].handle_all();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    source.assert_edge();
    EXPECT_TRUE(vcpu[0]->interrupts.has_deliverable()) << "new edge, not folded in yet";
}

TEST_F(Delivery, NoListRegisterTrafficWhenNothingChanged) {
    enable(spi);
    source.assert_edge();
    enter(0);
    fake::gic_cpu(0).lr_reads = 0;
    fake::gic_cpu(0).lr_writes = 0;
    enter(0);
    enter(0);
    EXPECT_EQ(fake::gic_cpu(0).lr_reads + fake::gic_cpu(0).lr_writes, 0u);
}

TEST_F(Delivery, StateSurvivesMovingToAnotherCpu) {
    ASSERT_TRUE(other.bind(*vic, {35, 0}));
    enable(spi);
    enable(35, 0xb0);
    source.assert_edge();
    other.assert_edge();
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), spi);
    const auto vmcr = fake::gic_cpu(0).vmcr;
    exit(0);
    EXPECT_TRUE(guest[0].list_registers().empty());
    EXPECT_EQ(fake::gic_cpu(0).hcr, 1u) << "empty, and asking for no maintenance";

    fake::set_cpu_index(3);
    vcpu[0]->interrupts.enter();
    fake::GuestInterface moved(3);
    EXPECT_EQ(fake::gic_cpu(3).vmcr, vmcr);
    EXPECT_FALSE(moved.signalled()) << "34 is active at a higher priority";
    moved.end(spi);
    EXPECT_EQ(moved.handle_all(), Handled{35});
}

TEST_F(Delivery, TwoVcpusShareOneCpu) {
    ASSERT_TRUE(other.bind(*vic, {35, 0}));
    enable(spi);
    enable(35);
    write(0, fake::irouter + 35 * 8, default_affinity(1), 8);
    source.assert_edge();
    other.assert_edge();
    fake::set_cpu_index(0);
    vcpu[0]->interrupts.enter();
    EXPECT_TRUE(guest[0].holds(spi));
    EXPECT_FALSE(guest[0].holds(35));
    vcpu[0]->interrupts.exit();
    vcpu[1]->interrupts.enter();
    EXPECT_FALSE(guest[0].holds(spi));
    EXPECT_EQ(guest[0].handle_all(), Handled{35});
}

TEST_F(Delivery, PrivateInterruptOfOneVcpu) {
    ASSERT_TRUE(other.bind(*vic, {20, 1}));
    enable(20, 0x80, true, 1);
    other.assert_edge();
    EXPECT_EQ(vcpu[0]->told, 0u);
    EXPECT_EQ(vcpu[1]->told, 1u);
    enter(1);
    EXPECT_EQ(guest[1].handle_all(), Handled{20});
}

TEST_F(Delivery, CouldDeliverSeesEnablePriorityAndActive) {
    fake::set_cpu_index(0);
    EXPECT_FALSE(vcpu[0]->interrupts.could_deliver(27));
    enable(27, 0xa0, false);
    EXPECT_TRUE(vcpu[0]->interrupts.could_deliver(27));
    enter(0);
    guest[0].set_pmr(0x80);
    EXPECT_FALSE(vcpu[0]->interrupts.could_deliver(27));
    guest[0].set_pmr(0xf0);
    set_bit(1, fake::ispendr, 27);
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), 27u);
    EXPECT_FALSE(vcpu[0]->interrupts.could_deliver(27)) << "active";
}

TEST_F(Delivery, ResetOfTheInterfaceKeepsDistributorState) {
    enable(spi);
    source.assert_edge();
    vcpu[0]->interrupts.reset_interface();
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable()) << "PMR masks everything";
    enter(0);
    EXPECT_EQ(fake::gic_cpu(0).vmcr, 0u);
    guest[0].start();
    EXPECT_EQ(guest[0].handle_all(), Handled{spi});
}

} // namespace
} // namespace hyp
