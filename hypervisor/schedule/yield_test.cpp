// SPDX-License-Identifier: BSD-3-Clause
// scheduler_yield with its hints, and time slices of vCPUs that never yield.
#include "schedule/physical_interrupts.hpp"
#include "schedule/vm_fixture.hpp"

namespace hyp {
namespace {

class Yield : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
    }

    void TearDown() override {
        vm_.reset();
        ScheduleTest::TearDown();
    }

    static void slice_ends() {
        fake::guest_hardware().counter += GH_VCPU_TIMESLICE_DEFAULT_NS;
        fake::gic_cpu(0).pending.push_back(ppi_hypervisor_timer);
        handle_physical_interrupts();
    }
    static void start(const Ref<Vcpu>& vcpu) { ASSERT_TRUE(vcpu->power_on(0, 0, 0)); }

    std::unique_ptr<TestVm> vm_;
};

TEST_F(Yield, ToATargetSkipsTheQueue) {
    const Ref<Vcpu> a = vm_->make_vcpu(0, {});
    const Ref<Vcpu> b = vm_->make_vcpu(1, {});
    const Ref<Vcpu> c = vm_->make_vcpu(2, {});
    start(a);
    start(b);
    start(c);
    ASSERT_TRUE(enters(a));
    scheduler().yield_to(*c);
    EXPECT_TRUE(enters(c));
    scheduler().yield();
    EXPECT_TRUE(enters(b)) << "the others keep their order";
    scheduler().yield();
    EXPECT_TRUE(enters(a));
    retire({a, b, c});
}

TEST_F(Yield, ToALowerPriorityLastsOneTurn) {
    const Ref<Vcpu> high = vm_->make_vcpu(0, {.priority = 40});
    const Ref<Vcpu> low = vm_->make_vcpu(1, {.priority = 10});
    start(high);
    start(low);
    ASSERT_TRUE(enters(high));
    scheduler().yield_to(*low);
    EXPECT_TRUE(enters(low));
    EXPECT_TRUE(enters(low)) << "its exits do not end the turn";
    slice_ends();
    EXPECT_TRUE(enters(high));
    scheduler().yield();
    EXPECT_TRUE(enters(high)) << "the lent priority is gone";
    retire({high, low});
}

TEST_F(Yield, LentPriorityYieldsToAHigherOne) {
    const Ref<Vcpu> top = vm_->make_vcpu(0, {.priority = 50});
    const Ref<Vcpu> high = vm_->make_vcpu(1, {.priority = 40});
    const Ref<Vcpu> low = vm_->make_vcpu(2, {.priority = 10});
    start(high);
    start(low);
    ASSERT_TRUE(enters(high));
    scheduler().yield_to(*low);
    ASSERT_TRUE(enters(low));
    start(top);
    EXPECT_TRUE(enters(top));
    top->wait_for_interrupt(0);
    EXPECT_TRUE(enters(high));
    retire({top, high, low});
}

TEST_F(Yield, ToWhomDoesNotWaitIsAPlainYield) {
    const Ref<Vcpu> a = vm_->make_vcpu(0, {});
    const Ref<Vcpu> b = vm_->make_vcpu(1, {});
    const Ref<Vcpu> off = vm_->make_vcpu(2, {});
    start(a);
    start(b);
    ASSERT_TRUE(enters(a));
    scheduler().yield_to(*off);
    EXPECT_TRUE(enters(b));
    scheduler().yield_to(*b); // itself
    EXPECT_TRUE(enters(a));
    retire({a, b, off});
}

TEST_F(Yield, ToPriorityRunsTheBestOfTheLower) {
    const Ref<Vcpu> high = vm_->make_vcpu(0, {.priority = 40});
    const Ref<Vcpu> middle = vm_->make_vcpu(1, {.priority = 20});
    const Ref<Vcpu> low = vm_->make_vcpu(2, {.priority = 10});
    start(high);
    start(low);
    ASSERT_TRUE(enters(high));
    scheduler().yield_to_priority(20);
    EXPECT_TRUE(enters(high)) << "nobody has that much";
    start(middle);
    scheduler().yield_to_priority(20);
    EXPECT_TRUE(enters(middle));
    middle->wait_for_interrupt(0);
    EXPECT_TRUE(enters(high));
    scheduler().yield_to_priority(0);
    EXPECT_TRUE(enters(low));
    slice_ends();
    EXPECT_TRUE(enters(high));
    retire({high, middle, low});
}

TEST_F(Yield, SpinnerIsPreemptedByItsEquals) {
    const Ref<Vcpu> spinner = vm_->make_vcpu(0, {});
    const Ref<Vcpu> other = vm_->make_vcpu(1, {});
    start(spinner);
    ASSERT_TRUE(enters(spinner));
    start(other);
    EXPECT_TRUE(enters(spinner)) << "its turn is not over";
    EXPECT_EQ(fake::guest_hardware().deadline,
              fake::guest_hardware().counter + GH_VCPU_TIMESLICE_DEFAULT_NS);
    slice_ends();
    EXPECT_TRUE(enters(other));
    retire({spinner, other});
}

} // namespace
} // namespace hyp
