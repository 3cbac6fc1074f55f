// SPDX-License-Identifier: BSD-3-Clause
// SMCCC discovery, workarounds and the TRNG service as a VM sees them.
#include "schedule/vm_fixture.hpp"
#include "trap/services.hpp"

#include <arch/fake_entropy.hpp>
#include <arch/firmware_end.hpp>

namespace hyp {
namespace {

constexpr std::uint32_t version = 0x80000000;
constexpr std::uint32_t features = 0x80000001;
constexpr std::uint32_t soc_id = 0x80000002;
constexpr std::uint32_t workaround_1 = 0x80008000;
constexpr std::uint32_t workaround_2 = 0x80007fff;
constexpr std::uint32_t workaround_3 = 0x80003fff;
constexpr std::uint32_t trng_version = 0x84000050;
constexpr std::uint32_t trng_features = 0x84000051;
constexpr std::uint32_t trng_uuid = 0x84000052;
constexpr std::uint32_t trng_rnd32 = 0x84000053;
constexpr std::uint32_t trng_rnd64 = 0xc4000053;

constexpr std::uint32_t pv_time_features = 0xc5000020;
constexpr std::uint32_t pv_time_st = 0xc5000021;

class SmcccTest : public ScheduleTest {
protected:
    void SetUp() override {
        ScheduleTest::SetUp();
        vm_ = std::make_unique<TestVm>();
        vcpu_ = vm_->make_vcpu(0, {});
        fake::firmware_arch() = {};
        fake::entropy() = 0xfedcba9876543210;
    }
    void TearDown() override {
        retire({vcpu_});
        vcpu_ = nullptr;
        vm_ = nullptr;
        fake::entropy() = std::nullopt;
        ScheduleTest::TearDown();
    }
    std::int64_t call(std::uint32_t function, std::uint64_t x1 = 0) {
        vcpu_->registers.x[0] = function;
        vcpu_->registers.x[1] = x1;
        handle_smccc(*vcpu_);
        return static_cast<std::int64_t>(vcpu_->registers.x[0]);
    }
    [[nodiscard]] std::uint64_t x(unsigned n) const { return vcpu_->registers.x[n]; }

    std::unique_ptr<TestVm> vm_;
    Ref<Vcpu> vcpu_;
};

TEST_F(SmcccTest, VersionWithAndWithoutTheSveHint) {
    EXPECT_EQ(call(version), 0x10003);
    EXPECT_EQ(call(version | 1u << 16), 0x10003);
    EXPECT_EQ(call(0x84000000 | 1u << 16), 0x10001) << "PSCI_VERSION";
    EXPECT_EQ(call(1u << 16), -1) << "a yielding call has no such hint";
}

TEST_F(SmcccTest, WorkaroundsOfTheFirmware) {
    fake::firmware_arch().features = {{workaround_1, 0}, {workaround_3, 1}, {soc_id, 0}};
    EXPECT_EQ(call(features, workaround_1), 0);
    EXPECT_EQ(call(features, workaround_3), 1);
    EXPECT_EQ(call(features, soc_id), 0);
    EXPECT_EQ(call(workaround_1), static_cast<std::int64_t>(workaround_1)) << "x0 is kept";
    EXPECT_EQ(fake::firmware_arch().called, workaround_1);
    EXPECT_EQ(call(soc_id, 1), 0x42);
    EXPECT_EQ(fake::firmware_arch().argument, 1u);
}

TEST_F(SmcccTest, WithoutFirmwareTheCpuAnswers) {
    // Every field of the fake CPU's identification registers is set: CSV2 = 15.
    EXPECT_EQ(call(features, workaround_1), 1);
    EXPECT_EQ(call(features, workaround_3), 1);
    EXPECT_EQ(call(features, workaround_2), -1);
    EXPECT_EQ(call(features, soc_id), -1);
    EXPECT_EQ(call(soc_id, 0), -1);
    call(workaround_1);
    EXPECT_EQ(fake::firmware_arch().called, 0u);
}

TEST_F(SmcccTest, NoVmSwitchesTheStoreBypassWorkaroundOff) {
    fake::firmware_arch().features = {{workaround_2, 0}};
    EXPECT_EQ(call(features, workaround_2), -2);
    call(workaround_2, 0);
    EXPECT_EQ(fake::firmware_arch().called, 0u);
}

TEST_F(SmcccTest, TrngIsDiscovered) {
    EXPECT_EQ(call(trng_version), 0x10000);
    EXPECT_EQ(call(trng_features, trng_rnd64), 0);
    EXPECT_EQ(call(trng_features, 0x84000054), -1);
    call(trng_uuid);
    EXPECT_EQ(x(0), 0xafb2d93au);
    EXPECT_EQ(x(3), 0x3307c9ecu);
}

TEST_F(SmcccTest, TrngGivesAsManyBitsAsAskedFor) {
    EXPECT_EQ(call(trng_rnd64, 65), 0);
    EXPECT_EQ(x(1), 0u);
    EXPECT_LE(x(2), 1u);
    EXPECT_NE(x(3), 0u);
    EXPECT_EQ(call(trng_rnd32, 33), 0);
    EXPECT_EQ(x(1), 0u);
    EXPECT_LE(x(2), 1u);
    EXPECT_EQ(x(3) >> 32, 0u);
}

TEST_F(SmcccTest, TrngRefusesWhatItHasNotRoomFor) {
    EXPECT_EQ(call(trng_rnd64, 0), -2);
    EXPECT_EQ(call(trng_rnd64, 193), -2);
    EXPECT_EQ(call(trng_rnd32, 97), -2);
    EXPECT_EQ(call(trng_rnd32, (1ull << 32) | 96), 0) << "a 32-bit argument";
}

TEST_F(SmcccTest, PvTimeIsForVcpusWithAStructure) {
    EXPECT_EQ(call(features, pv_time_features), -1);
    EXPECT_EQ(call(pv_time_features, pv_time_st), -1);
    EXPECT_EQ(call(pv_time_st), -1);
    vcpu_ = vm_->make_vcpu(1, {});
    EXPECT_FALSE(vcpu_->write_register(GH_VCPU_REGISTER_SET_EXT_PV_TIME, 0, 0x1020));
    EXPECT_TRUE(vcpu_->write_register(GH_VCPU_REGISTER_SET_EXT_PV_TIME, 0, 0x1040));
    EXPECT_EQ(call(features, pv_time_features), 0);
    EXPECT_EQ(call(pv_time_features, pv_time_st), 0);
    EXPECT_EQ(call(pv_time_features, 0xc5000022), -1);
    EXPECT_EQ(call(pv_time_st), -1) << "no memory there";
}

} // namespace
} // namespace hyp
