// SPDX-License-Identifier: BSD-3-Clause
// What a vCPU was configured to have: who gets counters and SVE, and what the others get instead.
#include "schedule/vm_fixture.hpp"
#include "trap/exits.hpp"

#include <arch/guest_exception.hpp>

namespace hyp {
namespace {

// ISS of EC 0x18 for reads into x1 (Arm ARM D19.2.40).
constexpr std::uint64_t read_of(unsigned op0, unsigned op1, unsigned crn, unsigned crm,
                                unsigned op2) {
    return 0x18ull << 26 | 1ull << 25 | std::uint64_t{op0} << 20 | op2 << 17 | op1 << 14 |
           crn << 10 | 1u << 5 | crm << 1 | 1u;
}
constexpr std::uint64_t pmcr = read_of(3, 3, 9, 12, 0);
constexpr std::uint64_t pmevtyper30 = read_of(3, 3, 14, 15, 6);
constexpr std::uint64_t pmintenset = read_of(3, 0, 9, 14, 1);
constexpr std::uint64_t gmid = read_of(3, 1, 0, 0, 4);
constexpr std::uint64_t amcr = read_of(3, 3, 13, 2, 0);

TEST(VectorLength, IsWhatEveryCpuHas) {
    EXPECT_EQ(common_vector_bytes(64, 64), 64u);
    EXPECT_EQ(common_vector_bytes(32, 64), 32u);
    EXPECT_EQ(common_vector_bytes(64, 32), 32u);
    EXPECT_EQ(common_vector_bytes(64, 48), 32u) << "48 may be there on one of them only";
    EXPECT_EQ(common_vector_bytes(64, 0), 0u);
    EXPECT_EQ(common_vector_bytes(0, 64), 0u);
}

class FeaturesTest : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
    }
    void TearDown() override {
        vm_ = nullptr;
        ScheduleTest::TearDown();
    }
    Ref<Vcpu> make(std::uint64_t options) {
        Ref<Vcpu> vcpu = vm_->make_vcpu(0, {.active = false});
        EXPECT_TRUE(vcpu->configure(options));
        EXPECT_TRUE(vcpu->activate());
        vcpu->registers.pc = start;
        return vcpu;
    }
    static constexpr std::uint64_t start = 0x4000;
    static constexpr std::uint64_t undefined = 1ull << 25; // EC 0, IL

    std::unique_ptr<TestVm> vm_;
};

TEST_F(FeaturesTest, CountersComeWithTheFirstAccess) {
    for (const std::uint64_t access : {pmcr, pmevtyper30, pmintenset}) {
        const Ref<Vcpu> vcpu = make(GH_VCPU_OPTION_EXT_PMU);
        handle_system_register(*vcpu, access);
        EXPECT_TRUE(vcpu->guest.pmu_in_hardware);
        EXPECT_EQ(vcpu->registers.pc, start) << "the access is repeated";
        retire({vcpu});
    }
}

TEST_F(FeaturesTest, NoCountersUnlessAskedFor) {
    const Ref<Vcpu> vcpu = make(GH_VCPU_OPTION_EXT_SVE);
    EXPECT_TRUE(vcpu->guest.features.sve);
    EXPECT_FALSE(vcpu->guest.features.pmu);
    handle_system_register(*vcpu, pmcr);
    EXPECT_FALSE(vcpu->guest.pmu_in_hardware);
    EXPECT_EQ(fake::exception_registers().esr, undefined);
    retire({vcpu});
}

TEST_F(FeaturesTest, OtherRegistersAreNoCounters) {
    const Ref<Vcpu> vcpu = make(GH_VCPU_OPTION_EXT_ALL);
    handle_system_register(*vcpu, amcr);
    EXPECT_FALSE(vcpu->guest.pmu_in_hardware);
    EXPECT_EQ(fake::exception_registers().esr, undefined);
    retire({vcpu});
}

TEST_F(FeaturesTest, UndefinedIdRegisterHasItsOwnClass) {
    const Ref<Vcpu> vcpu = make(0); // ID_AA64MMFR2_EL1.IDS of the fake CPU is set
    handle_system_register(*vcpu, gmid);
    EXPECT_EQ(fake::exception_registers().esr, gmid);
    retire({vcpu});
}

TEST_F(FeaturesTest, UnknownOptionsAreRefused) {
    const Ref<Vcpu> vcpu = vm_->make_vcpu(0, {.active = false});
    EXPECT_EQ(vcpu->configure(1ull << 34).error(), rt::Error::argument_invalid);
    EXPECT_EQ(vcpu->configure(1ull << 2).error(), rt::Error::argument_invalid);
}

} // namespace
} // namespace hyp
