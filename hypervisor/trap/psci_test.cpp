// SPDX-License-Identifier: BSD-3-Clause
// PSCI as a VM sees it.
#include "schedule/vm_fixture.hpp"
#include "trap/services.hpp"

#include <arch/firmware_end.hpp>

namespace hyp {
namespace {

constexpr std::uint32_t cpu_suspend64 = 0xc4000001;
constexpr std::uint32_t cpu_off = 0x84000002;
constexpr std::uint32_t cpu_on64 = 0xc4000003;
constexpr std::uint32_t affinity_info64 = 0xc4000004;
constexpr std::uint32_t system_off = 0x84000008;
constexpr std::uint32_t system_reset = 0x84000009;
constexpr std::uint32_t features = 0x8400000a;
constexpr std::uint32_t system_suspend64 = 0xc400000e;
constexpr std::uint32_t system_reset2 = 0xc4000012;

class PsciTest : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
        first_ = vm_->make_vcpu(0, {});
        second_ = vm_->make_vcpu(1, {});
        ASSERT_TRUE(first_->power_on(0, 0, 0));
        ASSERT_TRUE(enters(first_));
    }
    void TearDown() override {
        retire({first_, second_});
        first_ = nullptr;
        second_ = nullptr;
        vm_ = nullptr;
        ScheduleTest::TearDown();
    }
    std::int64_t call(std::uint32_t function, std::uint64_t x1 = 0, std::uint64_t x2 = 0,
                      std::uint64_t x3 = 0) {
        auto& x = first_->registers.x;
        x[0] = function;
        x[1] = x1;
        x[2] = x2;
        x[3] = x3;
        EXPECT_TRUE(serve_psci(*first_, function));
        return static_cast<std::int64_t>(x[0]);
    }

    std::unique_ptr<TestVm> vm_;
    Ref<Vcpu> first_, second_;
};

TEST_F(PsciTest, VersionAndFeatures) {
    EXPECT_EQ(call(0x84000000), 0x10001);
    EXPECT_EQ(call(features, cpu_on64), 0);
    EXPECT_EQ(call(features, system_suspend64), 0);
    EXPECT_EQ(call(0x84000011), -1) << "an unknown function";
    EXPECT_EQ(call(0x84000006), 2) << "no trusted OS to migrate";
}

TEST_F(PsciTest, CpuOn) {
    EXPECT_EQ(call(affinity_info64, 1), 1);
    EXPECT_EQ(call(cpu_on64, 1, 0x4000, 7), 0);
    EXPECT_EQ(call(affinity_info64, 1), 0);
    EXPECT_EQ(second_->registers.pc, 0x4000u);
    EXPECT_EQ(second_->registers.x[0], 7u);
    EXPECT_EQ(call(cpu_on64, 1, 0x4000, 7), -4);
    EXPECT_EQ(call(cpu_on64, 0, 0, 0), -4) << "itself";
    EXPECT_EQ(call(cpu_on64, 2, 0, 0), -2);
    EXPECT_EQ(call(affinity_info64, 2), -2);
    EXPECT_EQ(call(affinity_info64, 1, 1), -2) << "only affinity level 0 is offered";
}

TEST_F(PsciTest, CpuOnWithAnEntryThatIsNoInstruction) {
    EXPECT_EQ(call(cpu_on64, 1, 0x4002, 7), -9);
    EXPECT_TRUE(second_->is_off());
}

TEST_F(PsciTest, CpuSuspendKnowsOnlyTheOriginalFormat) {
    EXPECT_EQ(call(cpu_suspend64, 1u << 17), -2);
    EXPECT_EQ(call(cpu_suspend64, 1u << 31), -2);
    EXPECT_EQ(first_->run_state(), VcpuState::ready);
    EXPECT_EQ(call(cpu_suspend64, 0x01010002), 0);
    EXPECT_EQ(first_->run_state(), VcpuState::waiting);
}

TEST_F(PsciTest, MemoryProtectionIsNotOffered) {
    for (const std::uint32_t function : {0x84000013u, 0x84000014u, 0xc4000014u}) {
        EXPECT_EQ(call(features, function), -1);
        EXPECT_EQ(call(function), -1);
    }
}

TEST_F(PsciTest, CpuOffAndOnAgain) {
    EXPECT_TRUE(serve_psci(*first_, cpu_off));
    EXPECT_TRUE(idles());
    EXPECT_TRUE(first_->is_off());
    ASSERT_TRUE(first_->power_on(0x100, 0, 0));
    EXPECT_TRUE(enters(first_));
}

TEST_F(PsciTest, SystemOffEndsAllVcpus) {
    ASSERT_EQ(call(cpu_on64, 1, 0, 0), 0);
    call(system_off);
    EXPECT_EQ(first_->run_state(), VcpuState::terminated);
    EXPECT_EQ(second_->run_state(), VcpuState::terminated);
    EXPECT_EQ(first_->check()->data[0], GH_VCPU_POWEROFF_TERMINATED);
}

TEST_F(PsciTest, SystemResetTellsItsKind) {
    call(system_reset);
    EXPECT_TRUE(idles());
    EXPECT_EQ(first_->check()->state, GH_VCPU_STATE_PSCI_SYSTEM_RESET);
    EXPECT_EQ(first_->check()->data[0], 1ull << 63);
}

TEST_F(PsciTest, SystemReset2CarriesTypeAndCookie) {
    EXPECT_EQ(call(system_reset2, 5, 0), -2) << "reserved type";
    EXPECT_EQ(first_->run_state(), VcpuState::ready);
    call(system_reset2, 0x80000001, 0x77);
    EXPECT_TRUE(idles());
    EXPECT_EQ(first_->check()->data[0], (1ull << 62) | 0x80000001);
    EXPECT_EQ(first_->check()->data[1], 0x77u);
}

TEST_F(PsciTest, SystemSuspendGoesOnAtItsEntry) {
    ASSERT_EQ(call(cpu_on64, 1, 0, 0), 0);
    EXPECT_EQ(call(system_suspend64, 0x4000, 9), -3) << "another CPU is on";
    second_->power_off();
    ASSERT_TRUE(vm_->group->bind(*vm_->vic, {.number = 40, .vcpu = 0}));
    first_->guest.system.sp_el1 = 5;
    first_->registers.x[5] = 5;
    call(system_suspend64, 0x4000, 9);
    EXPECT_EQ(vm_->group->state(), VpmState::system_suspended);
    EXPECT_TRUE(idles());
    EXPECT_EQ(first_->check()->data[0], 0x3010000u);
    first_->virq_pending();
    EXPECT_EQ(vm_->group->state(), VpmState::running);
    EXPECT_TRUE(enters(first_));
    EXPECT_EQ(first_->registers.pc, 0x4000u);
    EXPECT_EQ(first_->registers.x[0], 9u);
    EXPECT_EQ(first_->registers.x[5], 0u);
    EXPECT_EQ(first_->guest.system.sp_el1, 0u);
}

TEST_F(PsciTest, CpuSuspendOfAllIsAStateOfTheGroup) {
    ASSERT_EQ(call(cpu_on64, 1, 0, 0), 0);
    call(cpu_suspend64, 1);
    EXPECT_EQ(vm_->group->state(), VpmState::running);
    second_->wait_for_interrupt(0);
    EXPECT_EQ(vm_->group->state(), VpmState::running) << "WFI is no suspension";
    second_->virq_pending();
    second_->wait_for_interrupt(1);
    EXPECT_EQ(vm_->group->state(), VpmState::cpus_suspended);
    first_->virq_pending();
    EXPECT_EQ(vm_->group->state(), VpmState::running);
}

TEST_F(PsciTest, ThePrimaryVmEndsTheMachine) {
    TestVm primary;
    const Ref<Vcpu> vcpu = primary.make_vcpu(0, {.active = false});
    ASSERT_TRUE(vcpu->configure(GH_VCPU_OPTION_HLOS));
    ASSERT_TRUE(vcpu->activate());
    const auto end_of = [&](std::uint32_t function) {
        vcpu->registers.x[0] = function;
        try {
            (void)serve_psci(*vcpu, function);
        } catch (const fake::FirmwareEnd& end) {
            return end.kind;
        }
        ADD_FAILURE() << "the firmware was not called";
        return fake::FirmwareEnd::Kind::off;
    };
    EXPECT_EQ(end_of(system_off), fake::FirmwareEnd::Kind::off);
    EXPECT_EQ(end_of(system_reset), fake::FirmwareEnd::Kind::reset);
    retire({vcpu});
}

} // namespace
} // namespace hyp
