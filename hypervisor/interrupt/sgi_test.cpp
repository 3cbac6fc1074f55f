// SPDX-License-Identifier: BSD-3-Clause
// Software-generated interrupts: routing by target list, range, cluster and broadcast.
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

namespace hyp {
namespace {

class Sgi : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(4);
        for (unsigned n = 0; n < 4; n++) {
            enable(5, 0x80, true, n);
            enable(9, 0x80, true, n);
        }
        enter(1);
    }
    void send(std::uint64_t value) { vic->send_sgi(vcpu[1]->interrupts, value); }
    std::vector<bool> pending(std::uint32_t intid) {
        std::vector<bool> all;
        for (unsigned n = 0; n < 4; n++) {
            all.push_back(bit(1 + n, fake::ispendr, intid));
        }
        return all;
    }
    static constexpr std::uint64_t broadcast = 1ull << 40;
    static std::uint64_t intid(std::uint64_t n) { return n << 24; }
};

TEST_F(Sgi, TargetList) {
    send(intid(5) | 0b1101);
    EXPECT_EQ(pending(5), (std::vector<bool>{true, false, true, true}));
    EXPECT_EQ(vcpu[0]->told, 1u);
    EXPECT_EQ(vcpu[1]->told, 0u);
    EXPECT_EQ(vcpu[2]->told, 1u);
    EXPECT_EQ(vcpu[3]->told, 1u);
}

TEST_F(Sgi, ToSelfComesWithTheNextEntryAndTellsNobody) {
    send(intid(5) | 0b0010);
    EXPECT_EQ(vcpu[1]->told, 0u);
    enter(1);
    EXPECT_EQ(guest[1].handle_all(), std::vector<std::uint32_t>{5});
}

TEST_F(Sgi, BroadcastSparesTheSender) {
    send(intid(9) | broadcast | 0xffff);
    EXPECT_EQ(pending(9), (std::vector<bool>{true, false, true, true}));
}

TEST_F(Sgi, OtherClusterRangeOrAff3ReachesNobody) {
    send(intid(5) | 0xffff | 1ull << 16);
    send(intid(5) | 0xffff | 1ull << 32);
    send(intid(5) | 0xffff | 1ull << 48);
    send(intid(5) | 0xffff | 1ull << 44);
    EXPECT_EQ(pending(5), (std::vector<bool>(4, false)));
}

TEST_F(Sgi, AffinityOfTheVcpuDecides) {
    vcpu[2]->interrupts.set_affinity(0x0300020105); // Aff3 3, Aff2 2, Aff1 1, Aff0 5
    send(intid(5) | 1u << 5 | 1ull << 16 | 2ull << 32 | 3ull << 48);
    EXPECT_EQ(pending(5), (std::vector<bool>{false, false, true, false}));
    vcpu[3]->interrupts.set_affinity(0x23);
    send(intid(9) | 1u << 3 | 2ull << 44); // Aff0 0x23 through the range selector
    EXPECT_EQ(pending(9), (std::vector<bool>{false, false, false, true}));
}

TEST_F(Sgi, DisabledOneIsLatched) {
    set_bit(1, fake::icenabler, 5);
    send(intid(5) | 1);
    EXPECT_EQ(vcpu[0]->told, 0u);
    EXPECT_TRUE(bit(1, fake::ispendr, 5));
    set_bit(1, fake::isenabler, 5);
    EXPECT_EQ(vcpu[0]->told, 1u);
}

TEST_F(Sgi, SeveralNumbersAtOnce) {
    send(intid(9) | 1);
    send(intid(5) | 1);
    enter(0);
    EXPECT_EQ(guest[0].handle_all().size(), 2u);
}

} // namespace
} // namespace hyp
