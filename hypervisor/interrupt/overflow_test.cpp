// SPDX-License-Identifier: BSD-3-Clause
// More interrupts than list registers.
#include "interrupt/testing/test_vm.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hyp {
namespace {

class Overflow : public fake::VicTest {
protected:
    /// Interrupts 32.. pending, with these priorities.
    void pend(const std::vector<std::uint8_t>& priorities) {
        for (std::size_t n = 0; n < priorities.size(); n++) {
            const auto intid = static_cast<std::uint32_t>(32 + n);
            enable(intid, priorities[n]);
            set_bit(0, fake::ispendr, intid);
        }
    }
    /// Lets the guest handle everything, with EL2 refilling when the hardware asks.
    std::vector<std::uint32_t> drain() {
        std::vector<std::uint32_t> handled;
        for (unsigned rounds = 0; rounds < 100; rounds++) {
            const auto some = guest[0].handle_all();
            handled.insert(handled.end(), some.begin(), some.end());
            if (!guest[0].maintenance()) {
                return handled;
            }
            vcpu[0]->interrupts.handle_maintenance();
        }
        ADD_FAILURE() << "the maintenance interrupt never goes away";
        return handled;
    }
};

TEST_F(Overflow, AllAreDeliveredInOrderOfPriority) {
    make_vm(1, 4);
    pend({0xa0, 0x20, 0x90, 0x30, 0x80, 0x40, 0x70, 0x50, 0x60, 0x10});
    enter(0);
    EXPECT_EQ(drain(), (std::vector<std::uint32_t>{41, 33, 35, 37, 39, 40, 38, 36, 34, 32}));
    EXPECT_FALSE(vcpu[0]->interrupts.has_deliverable());
}

TEST_F(Overflow, OneListRegisterIsEnough) {
    make_vm(1, 1);
    pend({0xa0, 0x20, 0x90, 0x30, 0x80});
    enter(0);
    EXPECT_EQ(drain(), (std::vector<std::uint32_t>{33, 35, 36, 34, 32}));
}

TEST_F(Overflow, EqualPrioritiesByNumber) {
    make_vm(1, 2);
    pend({0xa0, 0xa0, 0xa0, 0xa0, 0xa0});
    enter(0);
    EXPECT_EQ(drain(), (std::vector<std::uint32_t>{32, 33, 34, 35, 36}));
}

TEST_F(Overflow, NestedActiveInterruptsEndInReverseOrder) {
    make_vm(1, 2);
    std::vector<std::uint32_t> acknowledged;
    enter(0);
    for (unsigned n = 0; n < 6; n++) {
        const auto intid = 32 + n;
        enable(intid, static_cast<std::uint8_t>(0xa0 - 0x10 * n));
        set_bit(0, fake::ispendr, intid);
        enter(0);
        ASSERT_EQ(guest[0].acknowledge(), intid);
        if (guest[0].maintenance()) {
            vcpu[0]->interrupts.handle_maintenance();
        }
    }
    for (unsigned n = 6; n-- > 0;) {
        guest[0].end(32 + n);
        if (guest[0].maintenance()) {
            vcpu[0]->interrupts.handle_maintenance();
        }
        for (unsigned m = 0; m < 6; m++) {
            EXPECT_EQ(bit(0, fake::isactiver, 32 + m), m < n) << "after end of " << 32 + n;
        }
        enter(0);
    }
    EXPECT_FALSE(guest[0].maintenance());
    EXPECT_TRUE(guest[0].list_registers().empty());
}

TEST_F(Overflow, SplitEoiOfUnlistedInterruptsIsTrapped) {
    make_vm(1, 1);
    enter(0);
    guest[0].start(0xf0, true);
    pend({0xa0, 0x80, 0x60});
    enter(0);
    for (const std::uint32_t intid : {34u, 33u, 32u}) {
        ASSERT_EQ(guest[0].acknowledge(), intid);
        guest[0].end(intid); // priority drop only
        if (guest[0].maintenance()) {
            vcpu[0]->interrupts.handle_maintenance();
        }
    }
    constexpr std::uint64_t tdir = 1u << 14;
    ASSERT_NE(fake::gic_cpu(0).hcr & tdir, 0u);
    for (const std::uint32_t intid : {34u, 32u, 33u}) {
        EXPECT_TRUE(bit(0, fake::isactiver, intid));
        vcpu[0]->interrupts.deactivate(intid);
        EXPECT_FALSE(bit(0, fake::isactiver, intid));
        enter(0);
    }
    EXPECT_EQ(fake::gic_cpu(0).hcr & tdir, 0u);
}

TEST_F(Overflow, HigherPriorityLateComerGetsARegister) {
    make_vm(1, 2);
    pend({0xa0, 0xa0, 0xa0});
    enter(0);
    enable(50, 0x10);
    set_bit(0, fake::ispendr, 50);
    enter(0);
    EXPECT_EQ(guest[0].acknowledge(), 50u);
}

TEST_F(Overflow, PendingAndActiveInterruptsDoNotKeepMaintenanceAsserted) {
    make_vm(1, 2);
    pend({0xa0, 0xa0, 0xa0, 0xa0});
    enter(0);
    // Active and pending again, at the highest priority, while others wait.
    enable(50, 0x10);
    set_bit(0, fake::ispendr, 50);
    enter(0);
    ASSERT_EQ(guest[0].acknowledge(), 50u);
    set_bit(0, fake::ispendr, 50);
    enter(0);
    if (guest[0].maintenance()) {
        vcpu[0]->interrupts.handle_maintenance();
    }
    EXPECT_FALSE(guest[0].maintenance()) << "or the guest would never run again";
    guest[0].end(50);
    auto handled = drain();
    std::sort(handled.begin(), handled.end());
    EXPECT_EQ(handled, (std::vector<std::uint32_t>{32, 33, 34, 35, 50}));
}

} // namespace
} // namespace hyp
