// SPDX-License-Identifier: BSD-3-Clause
// Stage-2 faults for which nobody is asked: what the tables allow by now is tried again.
#include "trap/exits.hpp"

#include "schedule/vm_fixture.hpp"

namespace hyp {
namespace {

constexpr Ipa mapped{0x80000000};
constexpr Ipa hole{0x90000000};
constexpr std::uint64_t start = 0x4000;
constexpr std::uint64_t translation_fault_3 = 0x92000007; // of a load by EL0
constexpr std::uint64_t walk_fault_minus_1 = 0x920000ab;  // S1PTW, as QEMU reported it
constexpr std::uint64_t synchronous_external_abort = 0x92000010;

class AbortTest : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
        memory_ = make_object<MemExtent>();
        ASSERT_TRUE(memory_->configure(fake::vm_ram.base, page_size,
                                       {GH_ACCESS_RWX, ExtentMemoryType::any, ExtentKind::basic}));
        ASSERT_TRUE(memory_->activate());
        ASSERT_TRUE(vm_->memory->map(
            *memory_, mapped, {GH_ACCESS_RW, GH_ACCESS_RW, MemoryType::normal_writeback}, {}));
        vcpu_ = vm_->make_vcpu(0, {});
    }
    void TearDown() override {
        retire({vcpu_});
        vcpu_ = nullptr;
        memory_ = nullptr;
        vm_ = nullptr;
        ScheduleTest::TearDown();
    }
    /// True if the vCPU goes on at the same instruction, and not at its exception vector.
    bool tries_again(std::uint64_t esr, Ipa ipa) {
        vcpu_->registers.pc = start;
        handle_abort(*vcpu_, {.esr = esr, .far = 0x1000, .hpfar = ipa.value >> 12 << 4});
        return vcpu_->registers.pc == start;
    }

    std::unique_ptr<TestVm> vm_;
    Ref<MemExtent> memory_;
    Ref<Vcpu> vcpu_;
};

TEST_F(AbortTest, WhatTheTablesAllowIsTriedAgain) {
    EXPECT_TRUE(tries_again(translation_fault_3, mapped));
    EXPECT_TRUE(tries_again(walk_fault_minus_1, mapped));
}

TEST_F(AbortTest, TheRestIsTheVmsOwnFault) {
    EXPECT_FALSE(tries_again(translation_fault_3, hole));
    EXPECT_FALSE(tries_again(walk_fault_minus_1, hole));
    EXPECT_FALSE(tries_again(synchronous_external_abort, mapped)) << "no fault of stage 2";
}

} // namespace
} // namespace hyp
