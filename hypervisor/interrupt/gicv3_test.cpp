// SPDX-License-Identifier: BSD-3-Clause
// The driver of the physical GICv3.
#include "interrupt/gicv3.hpp"

#include "interrupt/testing/machine_gic.hpp"

#include <arch/gic.hpp>

#include <gtest/gtest.h>

#include <array>

namespace hyp {
namespace {

using fake::MachineGic;

class Gic : public ::testing::Test {
protected:
    void SetUp() override { fake::reset_gic(); }
    void TearDown() override { fake::set_cpu_index(0); }

    MachineGic machine;
};

TEST_F(Gic, DistributorStartsWithEverythingOff) {
    machine.spis.enabled = {33, 100};
    machine.spis.pending = {34};
    machine.spis.active = {35};
    machine.start();
    EXPECT_EQ(gic().spi_limit(), 128u);
    EXPECT_TRUE(machine.spis.enabled.empty());
    EXPECT_TRUE(machine.spis.pending.empty());
    EXPECT_TRUE(machine.spis.active.empty());
    EXPECT_EQ(machine.spis.group1.size(), 96u);
    EXPECT_EQ(machine.spis.priority[127], 0xa0);
    EXPECT_EQ(machine.route[127], MachineGic::affinity(0));
    EXPECT_EQ(machine.control, 0x12u);
    EXPECT_EQ(machine.control_writes, (std::vector<std::uint32_t>{0, 0x10, 0x12}))
        << "affinity routing before groups";
}

TEST_F(Gic, EachCpuFindsItsRedistributor) {
    machine.privates[2].enabled = {29};
    machine.start();
    const std::set<std::uint32_t> own{0, 23, 25, 26, 27, 30};
    for (unsigned cpu = 0; cpu < MachineGic::cpus; cpu++) {
        EXPECT_EQ(machine.privates[cpu].enabled, own) << cpu;
        EXPECT_EQ(machine.waker[cpu], 0u);
        EXPECT_EQ(machine.privates[cpu].priority[27], 0xa0);
        EXPECT_EQ(machine.privates[cpu].group1.size(), 32u);
        const fake::GicCpu& registers = fake::gic_cpu(cpu);
        EXPECT_TRUE(registers.system_registers);
        EXPECT_EQ(registers.ctlr, 2u) << "EOImode 1";
        EXPECT_EQ(registers.pmr, 0xffu);
        EXPECT_EQ(registers.igrpen1, 1u);
    }
}

TEST_F(Gic, UnknownCpuOrNoGicIsAnError) {
    machine.start();
    EXPECT_EQ(gic().init_cpu(5, 0x99).error(), rt::Error::argument_invalid);
    const std::array<GicRegion, 1> regions{GicRegion{MachineGic::first_region, 0x40000}};
    // A redistributor region has no GICD_PIDR2 of a GICv3 at this offset in this model.
    EXPECT_FALSE(gic().init_distributor(MachineGic::first_region, regions, 0));
    EXPECT_FALSE(gic().init_distributor(MachineGic::distributor_base, {}, 0));
    machine.start();
}

TEST_F(Gic, InterruptsEndInTwoSteps) {
    machine.start();
    fake::gic_cpu(0).pending = {33, 27};
    EXPECT_EQ(gic().acknowledge(), 33u);
    gic().priority_drop(33);
    EXPECT_EQ(gic().acknowledge(), 27u);
    EXPECT_EQ(gic().acknowledge(), 1023u);
    gic().deactivate(33);
    EXPECT_EQ(fake::gic_cpu(0).dropped, std::vector<std::uint64_t>{33});
    EXPECT_EQ(fake::gic_cpu(0).deactivated, std::vector<std::uint64_t>{33});
}

TEST_F(Gic, SgiNamesTheTargetByAffinity) {
    machine.start();
    gic().send_sgi(3, 7); // Aff1 1, Aff0 1
    ASSERT_EQ(fake::gic_cpu(0).sgi1r.size(), 1u);
    EXPECT_EQ(fake::gic_cpu(0).sgi1r[0], 7ull << 24 | 1ull << 16 | 0b10);
}

TEST_F(Gic, SharedInterrupts) {
    machine.start();
    gic().spi_set_enabled(77, true);
    EXPECT_EQ(machine.spis.enabled, std::set<std::uint32_t>{77});
    gic().spi_set_edge(77, true);
    gic().spi_set_edge(78, true);
    gic().spi_set_edge(77, false);
    EXPECT_EQ(machine.spis.trigger[77 / 16], 2u << (78 % 16 * 2));
    gic().spi_route(77, 2);
    EXPECT_EQ(machine.route[77], MachineGic::affinity(2));
    gic().spi_route(77, 9);
    EXPECT_EQ(machine.route[77], MachineGic::affinity(2)) << "no such CPU";
    gic().spi_set_pending(77, true);
    EXPECT_TRUE(machine.spis.pending.contains(77));
    EXPECT_TRUE(gic().spi_is_pending(77));
    EXPECT_FALSE(gic().spi_is_pending(78));
    gic().spi_set_active(77, true);
    EXPECT_TRUE(machine.spis.active.contains(77));
    gic().spi_set_active(77, false);
    gic().spi_set_pending(77, false);
    gic().spi_set_enabled(77, false);
    EXPECT_TRUE(machine.spis.pending.empty());
    EXPECT_TRUE(machine.spis.active.empty());
    EXPECT_TRUE(machine.spis.enabled.empty());
}

TEST_F(Gic, PrivateOnesAreThisCpus) {
    machine.start();
    fake::set_cpu_index(2);
    gic().private_set_active(27, true);
    EXPECT_TRUE(machine.active(2, 27));
    EXPECT_FALSE(machine.active(0, 27));
    gic().private_set_active(27, false);
    EXPECT_FALSE(machine.active(2, 27));
}

} // namespace
} // namespace hyp
