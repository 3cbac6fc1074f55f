// SPDX-License-Identifier: BSD-3-Clause
// The register frames of the virtual GICv3, as a guest reads and writes them.
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

class Registers : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(3);
    }
};

TEST_F(Registers, DistributorIdentifiesItself) {
    const std::uint64_t type = read(0, 4);
    EXPECT_EQ(type & 0x1f, 3u) << "INTIDs to 127";
    EXPECT_EQ(type >> 19 & 0x1f, 9u) << "ten bits of INTID";
    EXPECT_EQ(type >> 10 & 1, 0u) << "one security state";
    EXPECT_EQ(type >> 17 & 1, 0u) << "no LPIs";
    EXPECT_EQ(type >> 25 & 1, 1u) << "no 1-of-N";
    EXPECT_EQ(read(0, 0xffe8) & 0xf0, 0x30u) << "GICv3";
    EXPECT_EQ(read(1, 0xffe8) & 0xf0, 0x30u);
    EXPECT_EQ(read(1, 0x1ffe8) & 0xf0, 0x30u);
    EXPECT_EQ(read(0, 0xfff0), 0x0du);
}

TEST_F(Registers, DistributorControl) {
    EXPECT_EQ(read(0, 0), 0x52u) << "DS, ARE, Group 1";
    write(0, 0, 0);
    EXPECT_EQ(read(0, 0), 0x50u);
    write(0, 0, ~0u);
    EXPECT_EQ(read(0, 0), 0x53u) << "both groups' enables, the rest fixed";
}

TEST_F(Registers, RedistributorType) {
    EXPECT_EQ(read(1, 8, 8), 0x0u);
    EXPECT_EQ(read(2, 8, 8), 1ull << 32 | 1u << 8);
    EXPECT_EQ(read(3, 8, 8), 2ull << 32 | 2u << 8 | 0x10u) << "the last one attached";
    EXPECT_EQ(read(3, 8, 4), 2u << 8 | 0x10u);
    EXPECT_EQ(read(3, 12, 4), 2u);
    vcpu[1]->interrupts.set_affinity(0x0700030201);
    EXPECT_EQ(read(2, 8, 8) >> 32, 0x07030201u);
}

TEST_F(Registers, WakerMirrorsSleep) {
    EXPECT_EQ(read(1, 0x14), 0u);
    write(1, 0x14, 2);
    EXPECT_EQ(read(1, 0x14), 6u);
    write(1, 0x14, 0);
    EXPECT_EQ(read(1, 0x14), 0u);
    EXPECT_EQ(read(5, 0x14), 6u) << "no vCPU there";
}

TEST_F(Registers, EnableSetsAndClears) {
    write(0, 0x104, 0x00f0'0001);
    EXPECT_EQ(read(0, 0x104), 0x00f0'0001u);
    EXPECT_EQ(read(0, 0x184), 0x00f0'0001u);
    write(0, 0x184, 0x0010'0001);
    EXPECT_EQ(read(0, 0x104), 0x00e0'0000u);
    EXPECT_EQ(read(0, 0x108), 0u);
}

TEST_F(Registers, PrivateOnesAreInTheRedistributorOnly) {
    write(0, 0x100, ~0u);
    EXPECT_EQ(read(0, 0x100), 0u);
    EXPECT_EQ(read(1, 0x10100), 0u);
    write(1, 0x10100, 0x0800'00ff);
    EXPECT_EQ(read(1, 0x10100), 0x0800'00ffu);
    EXPECT_EQ(read(2, 0x10100), 0u);
    write(1, 0x10104, ~0u);
    EXPECT_EQ(read(1, 0x10104), 0u);
    EXPECT_EQ(read(0, 0x104), 0u);
}

TEST_F(Registers, GroupIsOneUntilWritten) {
    EXPECT_EQ(read(0, 0x80), 0u);
    EXPECT_EQ(read(0, 0x84), ~0u);
    EXPECT_EQ(read(1, 0x10080), ~0u);
    write(0, 0x84, 0xffff0000);
    EXPECT_EQ(read(0, 0x84), 0xffff0000u);
    write(1, 0x10080, 0xfffffff7);
    EXPECT_EQ(read(1, 0x10080), 0xfffffff7u);
    EXPECT_EQ(read(0, 0x90), 0u) << "not implemented";
}

TEST_F(Registers, PrioritiesByByteAndWord) {
    write(0, 0x420, 0x1122'33ff);
    EXPECT_EQ(read(0, 0x420), 0x1020'30f8u) << "five bits";
    write(0, 0x421, 0x48, 1);
    EXPECT_EQ(read(0, 0x421, 1), 0x48u);
    EXPECT_EQ(read(0, 0x420), 0x1020'48f8u);
    write(1, 0x1041b, 0x90, 1);
    EXPECT_EQ(read(1, 0x10418), 0x9000'0000u);
    EXPECT_EQ(read(0, 0x420, 8), 0u);
    EXPECT_EQ(read(0, 0x420, 2), 0u);
}

TEST_F(Registers, PriorityChangeReordersPending) {
    enable(40, 0x80);
    enable(41, 0x90);
    set_bit(0, fake::ispendr, 40);
    set_bit(0, fake::ispendr, 41);
    enter(0);
    write(0, 0x400 + 41, 0x10, 1);
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), (std::vector<std::uint32_t>{41, 40}));
}

TEST_F(Registers, Triggers) {
    EXPECT_EQ(read(1, 0x10c00), 0xaaaa'aaaau) << "SGIs are edges";
    write(1, 0x10c00, 0);
    EXPECT_EQ(read(1, 0x10c00), 0xaaaa'aaaau);
    EXPECT_EQ(read(1, 0x10c04), 0u);
    write(1, 0x10c04, 0xffff'ffff);
    EXPECT_EQ(read(1, 0x10c04), 0xaaaa'aaaau);
    write(0, 0xc08, 0x8000'0002);
    EXPECT_EQ(read(0, 0xc08), 0x8000'0002u);
    EXPECT_EQ(read(0, 0xc00), 0u);
}

TEST_F(Registers, PendingByTheGuest) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    EXPECT_EQ(vcpu[0]->told, 1u);
    EXPECT_TRUE(bit(0, fake::ispendr, 40));
    EXPECT_TRUE(bit(0, fake::icpendr, 40));
    set_bit(0, fake::icpendr, 40);
    EXPECT_FALSE(bit(0, fake::ispendr, 40));
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Registers, LevelCannotBeClearedByTheGuest) {
    VirqSource source;
    ASSERT_TRUE(source.bind(*vic, {40, 0}));
    source.set_level(true);
    set_bit(0, fake::icpendr, 40);
    EXPECT_TRUE(bit(0, fake::ispendr, 40));
    source.set_level(false);
    EXPECT_FALSE(bit(0, fake::ispendr, 40));
}

TEST_F(Registers, ReadsSeeTheCallersListRegisters) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    EXPECT_TRUE(bit(0, fake::ispendr, 40));
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    EXPECT_FALSE(bit(0, fake::ispendr, 40));
    EXPECT_TRUE(bit(0, fake::isactiver, 40));
    enter(0);
    guest[0].end(40);
    EXPECT_FALSE(bit(0, fake::isactiver, 40));
}

TEST_F(Registers, ReadsOfAnotherCpusListRegistersConverge) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    vcpu[0]->told = 0;
    enter(1);
    EXPECT_FALSE(bit(0, fake::isactiver, 40)) << "not known yet";
    EXPECT_EQ(vcpu[0]->told, 1u) << "but asked for";
    enter(0);
    fake::set_cpu_index(1);
    EXPECT_TRUE(bit(0, fake::isactiver, 40));
    guest[0].end(40);
    fake::set_cpu_index(1);
    EXPECT_TRUE(bit(0, fake::isactiver, 40)) << "stale, and asked for again";
    enter(0);
    fake::set_cpu_index(1);
    EXPECT_FALSE(bit(0, fake::isactiver, 40));
}

TEST_F(Registers, DisableTakesItOutOfAListRegister) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    set_bit(0, fake::icenabler, 40);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_TRUE(bit(0, fake::ispendr, 40));
    set_bit(0, fake::isenabler, 40);
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
}

TEST_F(Registers, AnotherCpuDisables) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    vcpu[0]->told = 0;
    enter(1);
    set_bit(0, fake::icenabler, 40);
    EXPECT_EQ(vcpu[0]->told, 1u);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
}

TEST_F(Registers, AnotherCpuClearsPendingAndActive) {
    enable(40);
    enable(41);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    set_bit(0, fake::ispendr, 41);
    enter(0);
    enter(1);
    set_bit(0, fake::icpendr, 41);
    set_bit(0, fake::icactiver, 40);
    enter(0);
    EXPECT_TRUE(guest[0].list_registers().empty());
    EXPECT_FALSE(bit(0, fake::isactiver, 40));
    EXPECT_FALSE(bit(0, fake::ispendr, 41));
}

TEST_F(Registers, ActiveByTheGuest) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    set_bit(0, fake::isactiver, 40);
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_TRUE(bit(0, fake::isactiver, 40));
    set_bit(0, fake::icactiver, 40);
    enter(0);
    EXPECT_EQ(guest[0].handle_all(), std::vector<std::uint32_t>{40});
}

TEST_F(Registers, AnotherCpuSetsActive) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    enter(1);
    set_bit(0, fake::isactiver, 40);
    enter(0);
    EXPECT_FALSE(guest[0].signalled()) << "active and pending";
    set_bit(0, fake::icactiver, 40);
    enter(0);
    EXPECT_TRUE(guest[0].signalled());
}

TEST_F(Registers, RoutesByAffinity) {
    EXPECT_EQ(read(0, 0x6100 + 8, 8), 0u);
    write(0, 0x6000 + 40 * 8, 0xffff'ffff'ffff'ffff, 8);
    EXPECT_EQ(read(0, 0x6000 + 40 * 8, 8), 0xff00ff'ffffull) << "no 1-of-N";
    EXPECT_EQ(read(0, 0x6000 + 40 * 8, 4), 0x00ff'ffffu);
    EXPECT_EQ(read(0, 0x6004 + 40 * 8, 4), 0xffu);
    write(0, 0x6004 + 40 * 8, 0, 4);
    write(0, 0x6000 + 40 * 8, 2, 4);
    EXPECT_EQ(read(0, 0x6000 + 40 * 8, 8), 2u);
    enable(40);
    set_bit(0, fake::ispendr, 40);
    EXPECT_EQ(vcpu[0]->told, 0u);
    EXPECT_EQ(vcpu[2]->told, 1u);
    EXPECT_EQ(read(0, 0x6000, 8), 0u);
    EXPECT_EQ(read(0, 0x6000 + 128 * 8, 8), 0u);
}

TEST_F(Registers, PendingFollowsItsRoute) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    write(0, 0x6000 + 40 * 8, 1, 8);
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
    EXPECT_TRUE(vcpu[1]->interrupts.has_deliverable());
    EXPECT_EQ(vcpu[1]->told, 1u);
    write(0, 0x6000 + 40 * 8, 0x55, 8);
    EXPECT_FALSE(vcpu[1]->interrupts.has_deliverable()) << "to nobody";
    write(0, 0x6000 + 40 * 8, 2, 8);
    enter(2);
    EXPECT_EQ(guest[2].handle_all(), std::vector<std::uint32_t>{40});
}

TEST_F(Registers, PendingInAListRegisterFollowsItsRoute) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    vcpu[0]->told = 0;
    enter(1);
    write(0, 0x6000 + 40 * 8, 2, 8);
    EXPECT_EQ(vcpu[0]->told, 1u) << "it must give it back";
    enter(0);
    EXPECT_FALSE(guest[0].signalled());
    EXPECT_EQ(vcpu[2]->told, 1u);
    enter(2);
    EXPECT_EQ(guest[2].handle_all(), std::vector<std::uint32_t>{40});
}

TEST_F(Registers, ActiveStaysWhereItIsHandled) {
    enable(40);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 40u);
    write(0, 0x6000 + 40 * 8, 2, 8);
    set_bit(0, fake::ispendr, 40);
    enter(0);
    guest[0].end(40);
    exit(0);
    EXPECT_EQ(vcpu[2]->told, 1u) << "the new event goes to the new route";
    enter(2);
    EXPECT_EQ(guest[2].handle_all(), std::vector<std::uint32_t>{40});
}

TEST_F(Registers, WrongSizesReadZeroAndIgnoreWrites) {
    write(0, 0x104, 0xff, 1);
    write(0, 0x104, 0xff, 2);
    write(0, 0x104, 0xff, 8);
    EXPECT_EQ(read(0, 0x104), 0u);
    set_bit(0, fake::isenabler, 40);
    EXPECT_EQ(read(0, 0x104, 1), 0u);
    EXPECT_EQ(read(0, 0x104, 2), 0u);
    EXPECT_EQ(read(0, 0x100, 8), 0u);
    EXPECT_EQ(read(0, 0, 8), 0u);
    EXPECT_EQ(read(0, 0, 1), 0u);
    write(0, 0, 0, 1);
    EXPECT_EQ(read(0, 0), 0x52u);
    write(0, 0x6000 + 40 * 8, 7, 2);
    EXPECT_EQ(read(0, 0x6000 + 40 * 8, 8), 0u);
    EXPECT_EQ(read(1, 0x14, 8), 0u);
    EXPECT_EQ(read(0, 0x106, 4), 0u) << "not aligned";
    write(0, 0x106, ~0u, 4);
    EXPECT_EQ(read(0, 0x104), 0x100u);
}

TEST_F(Registers, EveryOffsetOfEveryFrameIsSafe) {
    for (unsigned interface = 0; interface <= 4; interface++) {
        const std::uint64_t size = interface == 0 ? 0x10000 : 0x20000;
        for (std::uint64_t offset = 0; offset < size; offset += 4) {
            for (const unsigned width : {1u, 2u, 4u, 8u}) {
                read(interface, offset, width);
                write(interface, offset, ~0ull, width);
                write(interface, offset, 0, width);
            }
        }
    }
    EXPECT_EQ(read(0, 0x1fffc & 0xffff), 0xb1u);
}

} // namespace
} // namespace hyp
