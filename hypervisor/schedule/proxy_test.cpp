// SPDX-License-Identifier: BSD-3-Clause
// vcpu_run: a guest that runs on its caller's time, and everything that ends it.
#include "schedule/physical_interrupts.hpp"
#include "schedule/vm_fixture.hpp"
#include "vcpu/wakeup_collector.hpp"

#include <arch/work.hpp>

#include <tuple>

namespace hyp {
namespace {

class Proxy : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        host_ = std::make_unique<TestVm>();
        vm_ = std::make_unique<TestVm>();
        caller_ = host_->make_vcpu(0, {});
        guest_ = vm_->make_vcpu(0, {.cpu = 0, .priority = 32, .active = false});
        ASSERT_TRUE(
            guest_->bind_virq(GH_VCPU_VIRQ_RUN_WAKEUP, *host_->vic, {.number = 40, .vcpu = 0}));
        ASSERT_TRUE(guest_->activate());
        ASSERT_TRUE(caller_->power_on(0, 0, 0));
        ASSERT_TRUE(enters(caller_));
    }
    void TearDown() override {
        retire({caller_, guest_});
        caller_ = nullptr;
        guest_ = nullptr;
        host_ = nullptr;
        vm_ = nullptr;
        ScheduleTest::TearDown();
    }

    /// vcpu_run by the caller; the state when it returned at once.
    std::uint64_t run(std::uint64_t resume_data = 0) {
        RunReport report;
        Ref<Vcpu> guest = guest_;
        const RunStart start = scheduler().run_proxy(guest, resume_data, report);
        EXPECT_TRUE(start == RunStart::runs || start == RunStart::reported);
        return start == RunStart::runs ? running : report.state;
    }
    std::uint64_t reported_state() const { return caller_->registers.x[1]; }

    static constexpr std::uint64_t running = ~std::uint64_t{0};
    std::unique_ptr<TestVm> host_, vm_;
    Ref<Vcpu> caller_, guest_;
};

TEST_F(Proxy, NotStartedIsPoweredOff) {
    EXPECT_EQ(run(), GH_VCPU_STATE_POWERED_OFF);
}

TEST_F(Proxy, NeedsAWakeupInterrupt) {
    Ref<Vcpu> unbound = vm_->make_vcpu(1, {});
    RunReport report;
    EXPECT_EQ(scheduler().run_proxy(unbound, 0, report), RunStart::busy);
}

TEST_F(Proxy, RunsInPlaceOfTheCaller) {
    ASSERT_TRUE(guest_->power_on(0x8000, 0, 0));
    EXPECT_TRUE(enters(caller_)) << "never by itself";
    EXPECT_EQ(run(), running);
    EXPECT_TRUE(enters(guest_));
    EXPECT_EQ(fake::guest_hardware().vttbr, vm_->memory->vttbr());
}

TEST_F(Proxy, WaitingGuestReturnsAndIsWokenByInterrupt) {
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    guest_->wait_for_interrupt(0);
    EXPECT_TRUE(enters(caller_));
    EXPECT_EQ(caller_->registers.x[0], static_cast<std::uint64_t>(GH_ERROR_OK));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_EXPECTS_WAKEUP);
    EXPECT_EQ(run(), GH_VCPU_STATE_EXPECTS_WAKEUP);
    guest_->virq_pending();
    EXPECT_EQ(run(), running);
    EXPECT_TRUE(enters(guest_));
}

TEST_F(Proxy, WakeupIsLeftToTheCallerWhoseVmWouldBeInterrupted) {
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    host_->write(0, 0x284, 1u << 8); // GICD_ICPENDR1: interrupt 40, that it is on
    host_->enable_group1();
    for (const bool own : {true, false}) {
        ASSERT_EQ(run(), running);
        ASSERT_TRUE(enters(guest_));
        guest_->wait_for_interrupt(0);
        ASSERT_TRUE(enters(caller_));
        host_->write(0, 0x104, 1u << 8); // GICD_ISENABLER1: interrupt 40
        open_cpu_interface();
        const WakeupCollector wakeups((own ? host_ : vm_)->vic.get());
        guest_->virq_pending();
        EXPECT_EQ(wakeups.vcpus(), own ? 1u : 0u);
        EXPECT_EQ(caller_->interrupts.has_deliverable(), !own);
        EXPECT_TRUE(guest_->ready());
    }
}

TEST_F(Proxy, MmioReadTakesTheResumeValue) {
    ASSERT_TRUE(guest_->power_on(0x8000, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    guest_->begin_mmio({.ipa = 0x1234,
                        .value = 0,
                        .size = 2,
                        .target = 7,
                        .write = false,
                        .sign_extend = false,
                        .wide = true});
    ASSERT_TRUE(enters(caller_));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_VMMIO_READ);
    EXPECT_EQ(caller_->registers.x[2], 0x1234u);
    EXPECT_EQ(caller_->registers.x[3], 2u);
    EXPECT_EQ(run(0xabcdef), running);
    ASSERT_TRUE(enters(guest_));
    EXPECT_EQ(guest_->registers.x[7], 0xcdefu);
    EXPECT_EQ(guest_->registers.pc, 0x8004u);
}

TEST_F(Proxy, MmioWriteCarriesTheValue) {
    ASSERT_TRUE(guest_->power_on(0x8000, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    guest_->begin_mmio({.ipa = 0x50,
                        .value = 0xff,
                        .size = 1,
                        .target = 0,
                        .write = true,
                        .sign_extend = false,
                        .wide = false});
    ASSERT_TRUE(enters(caller_));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_VMMIO_WRITE);
    EXPECT_EQ(caller_->registers.x[4], 0xffu);
}

TEST_F(Proxy, IsHandedTheCpuAndHandsItBack) {
    ASSERT_TRUE(guest_->power_on(0x8000, 0, 0));
    ASSERT_TRUE(enters(caller_));
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(run(), running);
        ASSERT_EQ(arch::work_left(), arch::work_hand_over) << "nothing else is to be decided";
        ASSERT_EQ(scheduler().hand_over(), &guest_->registers);
        EXPECT_EQ(arch::work_left(), 0u);
        guest_->begin_mmio({0x1000, 0, 4, 0, true, false, false});
        ASSERT_EQ(arch::work_left(), arch::work_hand_over);
        ASSERT_EQ(scheduler().hand_over(), &caller_->registers);
        EXPECT_EQ(arch::work_left(), 0u);
        EXPECT_EQ(reported_state(), GH_VCPU_STATE_VMMIO_WRITE);
    }
    EXPECT_EQ(guest_->registers.pc, 0x8008u);
}

TEST_F(Proxy, WhatElseHappenedIsSeenBesideTheHandOver) {
    const Ref<Vcpu> manager = host_->make_vcpu(1, {.priority = 40});
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_TRUE(enters(caller_));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(manager->power_on(0, 0, 0));
    EXPECT_NE(arch::work_left(), arch::work_hand_over);
    EXPECT_TRUE(enters(manager));
    retire({manager});
}

TEST_F(Proxy, IsNotHandedTheCpuWhileTheCallerHasAnInterrupt) {
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    host_->enable_group1();
    host_->enable_timer_interrupt(0);
    host_->write(1, 0x10200, 1u << 27); // pending
    ASSERT_TRUE(enters(caller_));
    open_cpu_interface();
    ASSERT_EQ(run(), running);
    EXPECT_EQ(scheduler().hand_over(), &caller_->registers);
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_READY);
}

TEST_F(Proxy, CallerLeavesItsVectorRegistersOnlyWhileItKeepsTheCpu) {
    const Ref<Vcpu> manager = host_->make_vcpu(1, {.priority = 40});
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    EXPECT_TRUE(caller_->guest.vectors_unsaved);
    guest_->begin_mmio({0x1000, 0, 4, 0, true, false, false});
    ASSERT_TRUE(enters(caller_));
    EXPECT_FALSE(caller_->guest.vectors_unsaved);
    EXPECT_FALSE(guest_->guest.vectors_unsaved) << "another CPU may run it next";
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    ASSERT_TRUE(manager->power_on(0, 0, 0));
    ASSERT_TRUE(enters(manager));
    EXPECT_FALSE(caller_->guest.vectors_unsaved) << "another CPU may run it next";
    retire({manager});
}

TEST_F(Proxy, HigherPriorityVcpuEndsTheRun) {
    const Ref<Vcpu> manager = host_->make_vcpu(1, {.priority = 40});
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    ASSERT_TRUE(manager->power_on(0, 0, 0));
    EXPECT_TRUE(enters(manager));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_READY);
    manager->wait_for_interrupt(0);
    EXPECT_TRUE(enters(caller_));
    retire({manager});
}

TEST_F(Proxy, OneCpuAtATime) {
    const Ref<Vcpu> second = host_->make_vcpu(1, {.cpu = 1});
    ASSERT_TRUE(second->power_on(0, 0, 0));
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    on(1);
    ASSERT_TRUE(enters(second));
    EXPECT_EQ(run(), GH_VCPU_STATE_BLOCKED);
    on(0);
    guest_->wait_for_interrupt(0);
    ASSERT_TRUE(enters(caller_));
    guest_->virq_pending();
    on(1);
    EXPECT_EQ(run(), running) << "it moves to the other CPU";
    EXPECT_TRUE(enters(guest_));
    guest_->wait_for_interrupt(0);
    EXPECT_TRUE(enters(second));
    retire({second});
}

TEST_F(Proxy, TerminatedAndResetAreReportedForEver) {
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    guest_->stop(VcpuState::reset, RunReport{GH_VCPU_STATE_PSCI_SYSTEM_RESET, {1ull << 63}});
    EXPECT_TRUE(enters(caller_));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_PSCI_SYSTEM_RESET);
    EXPECT_EQ(run(), GH_VCPU_STATE_PSCI_SYSTEM_RESET);
    EXPECT_EQ(guest_->check()->state, GH_VCPU_STATE_PSCI_SYSTEM_RESET);
}

TEST_F(Proxy, KilledWhileRunning) {
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    ASSERT_TRUE(guest_->kill());
    EXPECT_TRUE(enters(caller_));
    EXPECT_EQ(caller_->registers.x[0], static_cast<std::uint64_t>(GH_ERROR_OBJECT_STATE));
    RunReport report;
    Ref<Vcpu> guest = guest_;
    EXPECT_EQ(scheduler().run_proxy(guest, 0, report), RunStart::object_state);
}

TEST_F(Proxy, KilledBetweenTheCallAndItsFirstInstruction) {
    const Ref<Vcpu> second = host_->make_vcpu(1, {.cpu = 1});
    ASSERT_TRUE(second->power_on(0, 0, 0));
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    on(1);
    ASSERT_TRUE(enters(second));
    ASSERT_EQ(run(), running); // taken, not yet in the hardware
    on(0);
    const std::size_t before = fake::gic_cpu(0).sgi1r.size();
    ASSERT_TRUE(guest_->kill());
    EXPECT_EQ(fake::gic_cpu(0).sgi1r.size(), before + 1) << "the other CPU is told";
    EXPECT_EQ(guest_->check().error(), rt::Error::busy) << "that CPU has it still";
    on(1);
    EXPECT_TRUE(enters(second));
    EXPECT_EQ(second->registers.x[0], static_cast<std::uint64_t>(GH_ERROR_OBJECT_STATE));
    EXPECT_EQ(guest_->check().error(), rt::Error::object_state);
    retire({second});
}

TEST_F(Proxy, YieldGoesBackToTheCaller) {
    ASSERT_TRUE(guest_->power_on(0, 0, 0));
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    scheduler().yield();
    EXPECT_TRUE(enters(caller_));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_READY);
}

class ProxyTimer : public Proxy {
protected:
    void SetUp() override {
        Proxy::SetUp();
        ASSERT_TRUE(guest_->power_on(0, 0, 0));
        host_->enable_group1();
        open_cpu_interface();
        caller_->guest.virtual_timer = {.control = 1, .compare = 5000};
    }
    /// In the redistributor of the caller.
    void enable_timer_interrupt() { host_->enable_timer_interrupt(0); }
    static void expire_at(std::uint64_t time) {
        fake::guest_hardware().counter = time;
        fake::gic_cpu(0).pending.push_back(ppi_hypervisor_timer);
        handle_physical_interrupts();
    }
};

TEST_F(ProxyTimer, OfTheCallerEndsTheRun) {
    enable_timer_interrupt();
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    EXPECT_EQ(fake::guest_hardware().deadline, 5000u);
    expire_at(4999);
    ASSERT_TRUE(enters(guest_));
    expire_at(5000);
    EXPECT_TRUE(enters(caller_));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_READY);
}

TEST_F(ProxyTimer, ThatCannotInterruptTheCallerEndsNothing) {
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    expire_at(5000);
    EXPECT_TRUE(enters(guest_));
}

TEST_F(ProxyTimer, StaysArmedOverTheNextRuns) {
    enable_timer_interrupt();
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(run(), running);
        ASSERT_TRUE(enters(guest_));
        guest_->begin_mmio({0x1000, 0, 4, 0, true, false, false});
        ASSERT_TRUE(enters(caller_));
        EXPECT_EQ(fake::guest_hardware().deadline, 5000u);
    }
    expire_at(5000); // its own timer interrupts it now
    ASSERT_EQ(run(), running);
    EXPECT_TRUE(enters(guest_)) << "a loaded caller is not told by the timer that stayed armed";
}

class ProxyDoze : public ProxyTimer {
protected:
    void SetUp() override {
        ProxyTimer::SetUp();
        caller_->guest.virtual_timer = {};
        vm_->enable_group1();
        vm_->enable_timer_interrupt(0);
        ASSERT_EQ(run(), running);
        ASSERT_TRUE(enters(guest_));
        open_cpu_interface();
        guest_->guest.virtual_timer = {.control = 1, .compare = 100'000};
        guest_->wait_for_interrupt(0);
        ASSERT_TRUE(enters(caller_));
        ASSERT_EQ(reported_state(), GH_VCPU_STATE_EXPECTS_WAKEUP);
    }
    static constexpr std::uint64_t early = 100'000 - Vcpu::wake_lead_ns;
};

TEST_F(ProxyDoze, TheCallerIsWokenEarly) {
    EXPECT_EQ(fake::guest_hardware().deadline, early);
    EXPECT_EQ(run(), GH_VCPU_STATE_EXPECTS_WAKEUP) << "before that it just waits";
    expire_at(early);
    EXPECT_TRUE(caller_->interrupts.has_deliverable() || enters(caller_));
    EXPECT_EQ(guest_->run_state(), VcpuState::waiting) << "the guest's time has not come";
}

TEST_F(ProxyDoze, TheGuestWaitsLoadedUntilItsTimerFires) {
    expire_at(early);
    ASSERT_EQ(run(), running);
    static int sleeps;
    sleeps = 0;
    fake::guest_hardware().on_idle = [] {
        if (++sleeps == 2) {
            fake::guest_hardware().counter = 100'000;
            fake::gic_cpu(0).pending.push_back(ppi_virtual_timer);
        }
    };
    EXPECT_TRUE(enters(guest_));
    EXPECT_EQ(sleeps, 2);
}

TEST_F(ProxyDoze, AnInterruptOfTheCallerEndsIt) {
    enable_timer_interrupt();
    expire_at(early);
    ASSERT_EQ(run(), running);
    fake::guest_hardware().on_idle = [] {
        fake::gic_cpu(0).pending.push_back(ppi_hypervisor_timer); // any: the caller has one, too
    };
    caller_->guest.virtual_timer = {.control = 1, .compare = early};
    EXPECT_TRUE(enters(caller_));
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_EXPECTS_WAKEUP);
}

TEST_F(ProxyDoze, AnInterruptOfTheCallerBeforeItsTimersAreLoadedLosesNoWakeUp) {
    enable_timer_interrupt();
    expire_at(early);
    ASSERT_TRUE(enters(caller_));
    host_->write(1, 0x10200, 1u << 27); // pending
    ASSERT_EQ(run(), running);
    EXPECT_TRUE(enters(caller_));
    // The timer that woke the caller has fired, and no other is armed: it must not sleep again.
    EXPECT_EQ(reported_state(), GH_VCPU_STATE_READY);
    host_->write(1, 0x10280, 1u << 27);
    ASSERT_EQ(run(), running);
    fake::guest_hardware().on_idle = [] {
        fake::guest_hardware().counter = 100'000;
        fake::gic_cpu(0).pending.push_back(ppi_virtual_timer);
    };
    EXPECT_TRUE(enters(guest_));
}

TEST_F(ProxyTimer, MovesWithTheCallersDeadline) {
    enable_timer_interrupt();
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    guest_->begin_mmio({0x1000, 0, 4, 0, true, false, false});
    ASSERT_TRUE(enters(caller_));
    caller_->guest.virtual_timer.compare = 9000;
    ASSERT_EQ(run(), running);
    ASSERT_TRUE(enters(guest_));
    EXPECT_EQ(fake::guest_hardware().deadline, 9000u);
    expire_at(5000);
    EXPECT_TRUE(enters(guest_));
}

} // namespace
} // namespace hyp
