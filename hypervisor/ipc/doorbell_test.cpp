// SPDX-License-Identifier: BSD-3-Clause
// Doorbells: flags, masks, automatic acknowledgement, edge- and level-triggered interrupts.
#include "ipc/doorbell.hpp"

#include "interrupt/testing/test_vm.hpp"

#include <atomic>
#include <thread>

namespace hyp {
namespace {

constexpr std::uint32_t irq = 45;
constexpr std::uint64_t bit32 = std::uint64_t{1} << 32;

class DoorbellTest : public fake::VicTest {
protected:
    void SetUp() override {
        VicTest::SetUp();
        make_vm(1);
        bell = make_object<Doorbell>();
        ASSERT_TRUE(bell->activate());
    }
    void TearDown() override {
        bell.clear();
        VicTest::TearDown();
    }
    void bind(bool edge) {
        enable(irq, 0xa0, edge);
        ASSERT_TRUE(bell->bind(*vic, {irq, 0}));
    }
    /// How often the guest is interrupted when it takes interrupts once.
    bool interrupted() {
        enter(0);
        const bool taken = guest[0].acknowledge() == irq;
        if (taken) {
            guest[0].end(irq);
        }
        exit(0);
        return taken;
    }
    Ref<Doorbell> bell;
};

TEST_F(DoorbellTest, NeedsActivationAndFlags) {
    auto fresh = make_object<Doorbell>();
    EXPECT_EQ(fresh->send(1).error(), rt::Error::object_state);
    EXPECT_EQ(fresh->bind(*vic, {irq, 0}).error(), rt::Error::object_state);
    EXPECT_EQ(bell->receive(0).error(), rt::Error::argument_invalid);
}

TEST_F(DoorbellTest, FlagsAccumulateAndAreReturned) {
    EXPECT_EQ(*bell->send(1), 0U);
    EXPECT_EQ(*bell->send(6), 1U);
    EXPECT_EQ(*bell->receive(2), 7U);
    EXPECT_EQ(*bell->receive(~std::uint64_t{0}), 5U);
    EXPECT_EQ(*bell->send(0), 0U);
}

TEST_F(DoorbellTest, EverySendIsOneEdge) {
    bind(true);
    EXPECT_FALSE(interrupted());
    ASSERT_TRUE(bell->send(bit32));
    EXPECT_TRUE(interrupted());
    EXPECT_FALSE(interrupted());
    ASSERT_TRUE(bell->send(bit32)); // the flag was never cleared, as with v11's irqfd
    EXPECT_TRUE(interrupted());
    EXPECT_FALSE(interrupted());
}

TEST_F(DoorbellTest, LevelStaysUntilReceived) {
    bind(false);
    ASSERT_TRUE(bell->send(3));
    EXPECT_TRUE(interrupted());
    EXPECT_TRUE(interrupted());
    EXPECT_EQ(*bell->receive(1), 3U);
    EXPECT_TRUE(interrupted());
    EXPECT_EQ(*bell->receive(2), 2U);
    EXPECT_FALSE(interrupted());
}

TEST_F(DoorbellTest, AcknowledgedFlagsInterruptOnce) {
    for (const bool edge : {true, false}) {
        bind(edge);
        ASSERT_TRUE(bell->set_masks(bit32, ~std::uint64_t{0}));
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(*bell->send(bit32), 0U);
            EXPECT_TRUE(interrupted());
            EXPECT_FALSE(interrupted());
        }
        bell->unbind();
        ASSERT_TRUE(bell->reset_flags());
    }
}

TEST_F(DoorbellTest, MaskedFlagsWait) {
    bind(false);
    ASSERT_TRUE(bell->set_masks(2, 0));
    ASSERT_TRUE(bell->send(1));
    EXPECT_FALSE(interrupted());
    ASSERT_TRUE(bell->set_masks(1, 0));
    EXPECT_TRUE(interrupted());
    ASSERT_TRUE(bell->set_masks(0, 0));
    EXPECT_FALSE(interrupted());
}

TEST_F(DoorbellTest, BindingLaterInterruptsAtOnce) {
    ASSERT_TRUE(bell->set_masks(~std::uint64_t{0}, 4));
    ASSERT_TRUE(bell->send(4));
    EXPECT_EQ(*bell->send(0), 4U); // unbound, so nothing was acknowledged
    bind(true);
    EXPECT_TRUE(interrupted());
    EXPECT_EQ(*bell->send(0), 0U);
    EXPECT_FALSE(interrupted());
    EXPECT_EQ(bell->bind(*vic, {irq + 1, 0}).error(), rt::Error::virq_bound);
}

TEST_F(DoorbellTest, ResetAndUnbindTakeThePendingInterruptAway) {
    bind(false);
    ASSERT_TRUE(bell->send(1));
    ASSERT_TRUE(bell->reset_flags());
    EXPECT_FALSE(interrupted());
    EXPECT_EQ(*bell->receive(1), 0U);
    ASSERT_TRUE(bell->send(1));
    bell->unbind();
    bell->unbind();
    EXPECT_FALSE(interrupted());
    ASSERT_TRUE(bell->bind(*vic, {irq, 0}));
    EXPECT_TRUE(interrupted());
    bell.clear(); // the object's end, while its line is high
    EXPECT_FALSE(interrupted());
}

TEST_F(DoorbellTest, LineFollowsTheFlagsUnderContention) {
    bind(false);
    std::atomic<bool> stop = false;
    std::thread sender([&] {
        fake::set_cpu_index(1);
        while (!stop) {
            ASSERT_TRUE(bell->send(1));
        }
    });
    for (int i = 0; i < 20000; ++i) {
        ASSERT_TRUE(bell->receive(1));
    }
    stop = true;
    sender.join();
    ASSERT_TRUE(bell->receive(~std::uint64_t{0}));
    static_cast<void>(interrupted()); // an edge may still be latched
    EXPECT_FALSE(interrupted());
    ASSERT_TRUE(bell->send(1));
    EXPECT_TRUE(interrupted());
}

} // namespace
} // namespace hyp
