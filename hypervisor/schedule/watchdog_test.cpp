// SPDX-License-Identifier: BSD-3-Clause
// Watchdogs: bark, bite, feeding, freezing, and what a bite ends.
#include "schedule/vm_fixture.hpp"
#include "vcpu/watchdog.hpp"

#include <arch/firmware_end.hpp>

namespace hyp {
namespace {

constexpr std::uint64_t millisecond = 1'000'000; // counter ticks

class WatchdogTest : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
        dog_ = make_object<Watchdog>();
    }
    void TearDown() override {
        retire(vcpus_);
        vcpus_.clear();
        vm_ = nullptr;
        dog_ = nullptr;
        ScheduleTest::TearDown();
    }
    void start(std::uint64_t options = 0) {
        ASSERT_TRUE(dog_->configure(options));
        ASSERT_TRUE(dog_->activate());
        for (unsigned i = 0; i < 2; ++i) {
            vcpus_.push_back(vm_->make_vcpu(i, {.active = false}));
            ASSERT_TRUE(vcpus_[i]->attach_watchdog(dog_));
            ASSERT_TRUE(vcpus_[i]->activate());
        }
        ASSERT_TRUE(vcpus_[0]->power_on(0, 0, 0));
        ASSERT_TRUE(dog_->set_times(10, 20));
        dog_->enable(true);
    }
    static void pass(std::uint64_t ms) {
        fake::guest_hardware().counter += ms * millisecond;
        SoftTimerQueue::mine().expire();
    }
    bool bitten() { return vcpus_[0]->run_state() == VcpuState::faulted; }

    std::unique_ptr<TestVm> vm_;
    Ref<Watchdog> dog_;
    std::vector<Ref<Vcpu>> vcpus_;
};

TEST_F(WatchdogTest, ArgumentsAreChecked) {
    EXPECT_EQ(dog_->configure(2).error(), rt::Error::argument_invalid);
    const Ref<Vcpu> vcpu = vm_->make_vcpu(3, {.active = false});
    EXPECT_EQ(vcpu->attach_watchdog(dog_).error(), rt::Error::object_state) << "not active yet";
    start();
    EXPECT_EQ(dog_->configure(0).error(), rt::Error::object_state);
    EXPECT_EQ(vcpus_[0]->attach_watchdog(dog_).error(), rt::Error::object_state);
    ASSERT_TRUE(vcpu->configure(GH_VCPU_OPTION_HLOS));
    EXPECT_EQ(vcpu->attach_watchdog(dog_).error(), rt::Error::argument_invalid);
    ASSERT_TRUE(vcpu->configure(0));
    ASSERT_TRUE(vcpu->attach_watchdog(dog_));
    EXPECT_EQ(vcpu->attach_watchdog(dog_).error(), rt::Error::busy);
    EXPECT_EQ(vcpu->configure(GH_VCPU_OPTION_HLOS).error(), rt::Error::argument_invalid);
    EXPECT_EQ(dog_->set_times(1, 0).error(), rt::Error::argument_invalid);
    EXPECT_EQ(dog_->set_times(3, 2).error(), rt::Error::argument_invalid);
    EXPECT_EQ(dog_->set_times(1, 0x8000).error(), rt::Error::argument_invalid);
    EXPECT_EQ(dog_->manage(3).error(), rt::Error::argument_invalid);
}

TEST_F(WatchdogTest, FedInTimeItStaysQuiet) {
    start();
    for (int i = 0; i < 5; ++i) {
        pass(19);
        EXPECT_FALSE(bitten());
        EXPECT_EQ(dog_->status().milliseconds, 19u);
        dog_->ping();
    }
    dog_->enable(false);
    pass(100);
    EXPECT_FALSE(bitten());
    EXPECT_FALSE(dog_->status().enabled);
}

TEST_F(WatchdogTest, TheBiteEndsAllVcpus) {
    start();
    pass(20);
    for (const auto& vcpu : vcpus_) {
        const auto report = vcpu->check();
        ASSERT_TRUE(report);
        EXPECT_EQ(report->state, GH_VCPU_STATE_FAULT);
        EXPECT_EQ(report->data[0], GH_VCPU_FAULT_WATCHDOG_BITE);
    }
    EXPECT_TRUE(idles());
}

TEST_F(WatchdogTest, BarkAndBiteInterruptWhoeverTheyAreBoundTo) {
    start();
    auto manager = TestVm();
    const auto vcpu = manager.make_vcpu(0, {});
    vcpus_.push_back(vcpu);
    ASSERT_TRUE(dog_->bind(false, *manager.vic, {.number = 40, .vcpu = 0}));
    ASSERT_TRUE(dog_->bind(true, *manager.vic, {.number = 41, .vcpu = 0}));
    EXPECT_EQ(dog_->bind(true, *manager.vic, {.number = 42, .vcpu = 0}).error(),
              rt::Error::virq_bound);
    dog_->unbind(true);
    dog_->unbind(true);
    ASSERT_TRUE(dog_->bind(true, *manager.vic, {.number = 42, .vcpu = 0}));
    const auto pending = [&](std::uint32_t intid) {
        MmioAccess access{.offset = 0x204, .size = 4};
        manager.vic->vdevice(0)->access(access); // GICD_ISPENDR1
        return (access.value >> (intid - 32) & 1) != 0;
    };
    pass(9);
    EXPECT_FALSE(pending(40));
    pass(1);
    EXPECT_TRUE(pending(40));
    EXPECT_FALSE(pending(42));
    pass(10);
    EXPECT_TRUE(pending(42));
    retire(vcpus_);
    vcpus_.clear();
}

TEST_F(WatchdogTest, FrozenItWaits) {
    start();
    pass(15);
    ASSERT_TRUE(dog_->manage(GH_WATCHDOG_MANAGE_FREEZE));
    ASSERT_TRUE(dog_->manage(GH_WATCHDOG_MANAGE_FREEZE));
    pass(1000);
    ASSERT_TRUE(dog_->manage(GH_WATCHDOG_MANAGE_UNFREEZE));
    pass(1000);
    EXPECT_EQ(dog_->status().milliseconds, 15u);
    ASSERT_TRUE(dog_->manage(GH_WATCHDOG_MANAGE_UNFREEZE));
    EXPECT_EQ(dog_->manage(GH_WATCHDOG_MANAGE_UNFREEZE).error(), rt::Error::busy);
    pass(4);
    EXPECT_FALSE(bitten());
    ASSERT_TRUE(dog_->manage(GH_WATCHDOG_MANAGE_FREEZE_AND_RESET));
    ASSERT_TRUE(dog_->manage(GH_WATCHDOG_MANAGE_UNFREEZE));
    pass(19);
    EXPECT_FALSE(bitten());
    pass(1);
    EXPECT_TRUE(bitten());
}

TEST_F(WatchdogTest, ACriticalBiteResetsTheMachine) {
    start(GH_WATCHDOG_OPTION_CRITICAL_BITE);
    try {
        pass(20);
        ADD_FAILURE() << "the machine goes on";
    } catch (const fake::FirmwareEnd& end) {
        EXPECT_EQ(end.kind, fake::FirmwareEnd::Kind::reset);
    }
}

TEST_F(WatchdogTest, AVcpuMayGoBeforeItsWatchdog) {
    start();
    retire(vcpus_);
    vcpus_.clear();
    pass(20);
}

} // namespace
} // namespace hyp
