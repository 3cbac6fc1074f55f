// SPDX-License-Identifier: BSD-3-Clause
// Tests of VsockCredit: no side gets more than it was promised, whatever the other one claims.
#include "vsock/credit.hpp"

#include <gtest/gtest.h>

namespace vmm {
namespace {

VsockHeader saying(std::uint32_t buffer_size, std::uint32_t forwarded) {
    VsockHeader header;
    header.buffer_size = buffer_size;
    header.forwarded = forwarded;
    return header;
}

TEST(VsockCredit, TheGuestHasOneBufferful) {
    VsockCredit credit;
    EXPECT_TRUE(credit.received(VsockCredit::buffer_size));
    EXPECT_FALSE(credit.received(1));
    credit.forwarded(10);
    EXPECT_FALSE(credit.received(11));
    EXPECT_TRUE(credit.received(10));
    EXPECT_EQ(credit.waiting(), VsockCredit::buffer_size);
}

TEST(VsockCredit, CountersWrap) {
    VsockCredit credit;
    for (std::uint64_t total = 0; total < (std::uint64_t{1} << 32) + VsockCredit::buffer_size;
         total += VsockCredit::buffer_size) {
        ASSERT_TRUE(credit.received(VsockCredit::buffer_size));
        ASSERT_FALSE(credit.received(1));
        credit.forwarded(VsockCredit::buffer_size);
    }
    credit.update(saying(100, 0));
    credit.sent(0xffff'ffff); // modulo 2^32 one less than nothing
    EXPECT_EQ(credit.room(), 0U);
    credit.update(saying(100, 0xffff'fff0));
    EXPECT_EQ(credit.room(), 85U);
}

TEST(VsockCredit, TellsTheGuestInTime) {
    VsockCredit credit;
    credit.received(VsockCredit::buffer_size / 2 - 1);
    credit.forwarded(VsockCredit::buffer_size / 2 - 1);
    EXPECT_FALSE(credit.is_worth_an_update());
    credit.received(1);
    EXPECT_TRUE(credit.is_worth_an_update());
    VsockHeader header;
    credit.announce(header);
    EXPECT_EQ(header.buffer_size, VsockCredit::buffer_size);
    EXPECT_EQ(header.forwarded, VsockCredit::buffer_size / 2 - 1);
    EXPECT_FALSE(credit.is_worth_an_update()) << "nothing is new";
}

TEST(VsockCredit, TheGuestIsSentWhatItHasRoomFor) {
    VsockCredit credit;
    EXPECT_EQ(credit.room(), 0U);
    credit.update(saying(1000, 0));
    credit.sent(600);
    EXPECT_EQ(credit.room(), 400U);
    credit.update(saying(1000, 500));
    EXPECT_EQ(credit.room(), 900U);
    credit.update(saying(50, 500)); // it may shrink
    EXPECT_EQ(credit.room(), 0U);
    credit.update(saying(1000, 700)); // more than it was sent: a lie
    EXPECT_EQ(credit.room(), 0U);
}

} // namespace
} // namespace vmm
