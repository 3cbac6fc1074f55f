// SPDX-License-Identifier: GPL-2.0-only
// Resource Manager messages: what is cut into fragments comes together again, and nothing else
// does.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

extern "C" {
#include "rsc_mgr_msg.h"
}

namespace {

constexpr uint32_t some_message = 0x51000013;
constexpr uint16_t some_sequence = 0xbeef;

using Bytes = std::vector<uint8_t>;

Bytes counting(size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), uint8_t{1});
    return bytes;
}

// The queue messages that carry PAYLOAD, as the driver sends them.
std::vector<Bytes> cut(const Bytes& payload) {
    std::vector<Bytes> fragments;
    for (unsigned i = 0; i <= gh_rm_msg_fragments(payload.size()); ++i) {
        std::array<uint8_t, GH_RM_QUEUE_MSG_SIZE> out{};
        const size_t size = gh_rm_msg_build(out.data(), some_message, some_sequence, payload.data(),
                                            payload.size(), i);
        fragments.emplace_back(out.begin(), out.begin() + static_cast<ptrdiff_t>(size));
    }
    return fragments;
}

gh_rm_msg parse(const Bytes& fragment) {
    gh_rm_msg msg{};
    EXPECT_EQ(gh_rm_msg_parse(fragment.data(), fragment.size(), &msg), 0);
    return msg;
}

// A message under reassembly with a buffer of exactly the size that was asked for, so that
// AddressSanitizer sees a byte too many.
class Reassembly {
public:
    explicit Reassembly(const Bytes& first) {
        const gh_rm_msg msg = parse(first);
        buffer_.resize(gh_rm_msg_capacity(&msg));
        gh_rm_reassembly_start(&state_, &msg, buffer_.data(), buffer_.size());
    }

    int add(const Bytes& fragment) {
        const gh_rm_msg msg = parse(fragment);
        return gh_rm_reassembly_add(&state_, &msg);
    }

    [[nodiscard]] bool complete() const { return state_.missing == 0; }
    [[nodiscard]] Bytes payload() const {
        return {buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(state_.size)};
    }

private:
    gh_rm_reassembly state_{};
    Bytes buffer_;
};

TEST(RmMessage, HeaderIsAsTheInterfaceSays) {
    const Bytes payload = {0x81, 0x00, 0x00, 0x00};
    const Bytes expected = {0x21, 0x01, 0xef, 0xbe, 0x13, 0x00, 0x00, 0x51, 0x81, 0x00, 0x00, 0x00};
    EXPECT_EQ(cut(payload).front(), expected);
}

TEST(RmMessage, NumberOfFragments) {
    EXPECT_EQ(gh_rm_msg_fragments(0), 0U);
    EXPECT_EQ(gh_rm_msg_fragments(1), 0U);
    EXPECT_EQ(gh_rm_msg_fragments(232), 0U);
    EXPECT_EQ(gh_rm_msg_fragments(233), 1U);
    EXPECT_EQ(gh_rm_msg_fragments(464), 1U);
    EXPECT_EQ(gh_rm_msg_fragments(465), 2U);
    EXPECT_LT(gh_rm_msg_fragments(GH_RM_MSG_MAX_PAYLOAD), unsigned{GH_RM_MSG_MAX_FRAGMENTS});
}

TEST(RmMessage, EverySizeComesTogetherAgain) {
    for (size_t size = 0; size <= GH_RM_MSG_MAX_PAYLOAD; size += size < 1000 ? 1 : 97) {
        const Bytes payload = counting(size);
        const std::vector<Bytes> fragments = cut(payload);
        Reassembly reassembly(fragments.front());
        for (size_t i = 1; i < fragments.size(); ++i) {
            EXPECT_FALSE(reassembly.complete());
            EXPECT_EQ(parse(fragments[i]).type, GH_RM_MSG_CONTINUATION);
            ASSERT_EQ(reassembly.add(fragments[i]), 0) << size;
        }
        EXPECT_TRUE(reassembly.complete());
        ASSERT_EQ(reassembly.payload(), payload) << size;
    }
}

TEST(RmMessage, RefusesWhatIsNoMessage) {
    gh_rm_msg msg{};
    Bytes data(GH_RM_QUEUE_MSG_SIZE + 1, 0);
    data[0] = GH_RM_MSG_API;
    EXPECT_EQ(gh_rm_msg_parse(data.data(), 0, &msg), -EBADMSG);
    EXPECT_EQ(gh_rm_msg_parse(data.data(), 7, &msg), -EBADMSG);
    EXPECT_EQ(gh_rm_msg_parse(data.data(), 8, &msg), 0);
    EXPECT_EQ(gh_rm_msg_parse(data.data(), GH_RM_QUEUE_MSG_SIZE, &msg), 0);
    EXPECT_EQ(gh_rm_msg_parse(data.data(), GH_RM_QUEUE_MSG_SIZE + 1, &msg), -EBADMSG);
    data[0] = 0x22;
    EXPECT_EQ(gh_rm_msg_parse(data.data(), 8, &msg), -EBADMSG);
}

// Byte 1 holds type and number of fragments, 2 the sequence number, 4 the message.
TEST(RmMessage, RefusesTheContinuationOfAnother) {
    const std::vector<Bytes> fragments = cut(counting(600));
    for (const size_t byte : {size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{7}}) {
        Reassembly reassembly(fragments[0]);
        Bytes other = fragments[1];
        other[byte] ^= 0x40;
        EXPECT_EQ(reassembly.add(other), -EBADMSG) << byte;
    }
}

TEST(RmMessage, RefusesABeginningAsContinuation) {
    const std::vector<Bytes> fragments = cut(counting(600));
    Reassembly reassembly(fragments[0]);
    EXPECT_EQ(reassembly.add(fragments[0]), -EBADMSG);
    EXPECT_FALSE(reassembly.complete());
}

TEST(RmMessage, RefusesMoreThanWasAnnounced) {
    const std::vector<Bytes> fragments = cut(counting(300));
    Reassembly reassembly(fragments[0]);
    EXPECT_EQ(reassembly.add(fragments[1]), 0);
    EXPECT_TRUE(reassembly.complete());
    EXPECT_EQ(reassembly.add(fragments[1]), -EBADMSG);
}

// A short first fragment leaves room for full continuations and no more.
TEST(RmMessage, FragmentsOfAnySizeStayInTheBuffer) {
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        std::vector<Bytes> fragments = cut(counting(1 + random() % GH_RM_MSG_MAX_PAYLOAD));
        Bytes expected;
        for (Bytes& fragment : fragments) {
            fragment.resize(8 + random() % (GH_RM_QUEUE_MSG_SIZE - 7));
            expected.insert(expected.end(), fragment.begin() + 8, fragment.end());
        }
        Reassembly reassembly(fragments.front());
        for (size_t i = 1; i < fragments.size(); ++i) {
            ASSERT_EQ(reassembly.add(fragments[i]), 0);
        }
        EXPECT_TRUE(reassembly.complete());
        ASSERT_EQ(reassembly.payload(), expected);
    }
}

} // namespace
