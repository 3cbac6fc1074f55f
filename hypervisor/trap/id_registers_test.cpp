// SPDX-License-Identifier: BSD-3-Clause
// A VM sees no feature whose state EL2 does not keep apart, whatever the CPU claims.
#include "trap/id_registers.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

constexpr std::uint64_t all_set = ~std::uint64_t{0};

// Of a vCPU that was given nothing beyond what all have.
std::uint64_t without(unsigned crm, unsigned op2, std::uint64_t physical) {
    return guest_id_register(crm, op2, physical, {});
}

std::uint64_t field(std::uint64_t value, unsigned lsb) {
    return (value >> lsb) & 0xf;
}

TEST(IdRegisters, HidesWhatIsNotVirtualized) {
    const std::uint64_t pfr0 = without(4, 0, all_set);
    EXPECT_EQ(field(pfr0, 8), 0u) << "EL2";
    EXPECT_EQ(field(pfr0, 28), 0u) << "RAS";
    EXPECT_EQ(field(pfr0, 32), 0u) << "SVE";
    EXPECT_EQ(field(pfr0, 40), 0u) << "MPAM";
    EXPECT_EQ(field(pfr0, 44), 0u) << "AMU";
    const std::uint64_t pfr1 = without(4, 1, all_set);
    EXPECT_EQ(field(pfr1, 8), 0u) << "MTE";
    EXPECT_EQ(field(pfr1, 24), 0u) << "SME";
    const std::uint64_t dfr0 = without(5, 0, all_set);
    EXPECT_EQ(field(dfr0, 4), 0u) << "trace";
    EXPECT_EQ(field(dfr0, 8), 0u) << "PMU";
    EXPECT_EQ(field(dfr0, 32), 0u) << "SPE";
    EXPECT_EQ(field(dfr0, 44), 0u) << "TRBE";
    EXPECT_EQ(field(without(7, 1, all_set), 8), 0u) << "VHE";
    EXPECT_EQ(field(without(7, 1, all_set), 16), 0u) << "LORegions";
    EXPECT_EQ(field(without(7, 2, all_set), 24), 0u) << "nested virtualization";
    EXPECT_EQ(field(without(1, 2, all_set), 24), 0u) << "AArch32 PMU";
}

TEST(IdRegisters, UnknownRegistersReadAsZero) {
    EXPECT_EQ(without(4, 4, all_set), 0u) << "ID_AA64ZFR0";
    EXPECT_EQ(without(4, 5, all_set), 0u) << "ID_AA64SMFR0";
    EXPECT_EQ(without(4, 7, all_set), 0u);
    EXPECT_EQ(without(7, 7, all_set), 0u);
}

TEST(IdRegisters, PassesWhatIs) {
    EXPECT_EQ(field(without(6, 1, 0x1 << 4), 4), 1u) << "pointer authentication (APA)";
    EXPECT_EQ(field(without(6, 0, 0x2 << 20), 20), 2u) << "LSE atomics";
    EXPECT_EQ(without(3, 1, 0x12345678), 0x12345678u) << "MVFR1";
}

TEST(IdRegisters, ShowsWhatTheVcpuWasGiven) {
    const GuestFeatures sve{.sve = true};
    EXPECT_EQ(field(guest_id_register(4, 0, 0x1ull << 32, sve), 32), 1u);
    EXPECT_EQ(guest_id_register(4, 4, 0x1234, sve), 0x1234u) << "ID_AA64ZFR0";
    EXPECT_EQ(field(guest_id_register(5, 0, 0x6 << 8, sve), 8), 0u);
    const GuestFeatures pmu{.pmu = true};
    EXPECT_EQ(field(guest_id_register(5, 0, 0x6 << 8, pmu), 8), 6u);
    EXPECT_EQ(field(guest_id_register(5, 0, 0x9 << 8, pmu), 8), 8u) << "newer than EL2 knows";
    EXPECT_EQ(field(guest_id_register(5, 0, 0xf << 8, pmu), 8), 0u) << "not architected";
    EXPECT_EQ(field(guest_id_register(1, 2, 0x6 << 24, pmu), 24), 6u) << "AArch32";
    EXPECT_EQ(field(guest_id_register(4, 0, 0x1ull << 32, pmu), 32), 0u);
}

TEST(IdRegisters, AlwaysTellsOfTheGicInterface) {
    EXPECT_EQ(field(without(4, 0, 0), 24), 1u);
}

} // namespace
} // namespace hyp
