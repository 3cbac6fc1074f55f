// SPDX-License-Identifier: BSD-3-Clause
// The RPC codec: fragmentation both ways, hostile messages, and a peer that does not read.
#include "rpc/channel.hpp"
#include "testing/model_hypervisor.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint8_t request_type = GH_RM_RPC_REQUEST;
constexpr std::uint8_t continuation_type = GH_RM_RPC_CONTINUATION;

Bytes message(std::uint8_t type, unsigned fragments, std::uint16_t sequence, std::uint32_t id,
              const Bytes& payload, std::uint8_t api = GH_RM_RPC_API) {
    Bytes bytes(8);
    bytes[0] = std::byte{api};
    bytes[1] = static_cast<std::byte>(type | (fragments << 2));
    bytes[2] = static_cast<std::byte>(sequence);
    bytes[3] = static_cast<std::byte>(sequence >> 8);
    for (unsigned i = 0; i < 4; ++i) {
        bytes[4 + i] = static_cast<std::byte>(id >> (8 * i));
    }
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

Bytes pattern(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
    }
    return bytes;
}

std::vector<Bytes> fragments_of(std::uint16_t sequence, std::uint32_t id, const Bytes& payload) {
    std::vector<Bytes> all;
    const std::size_t more = payload.empty() ? 0 : (payload.size() - 1) / 232;
    for (std::size_t i = 0; i <= more; ++i) {
        const std::size_t start = i * 232;
        const std::size_t end = std::min(payload.size(), start + 232);
        all.push_back(message(i == 0 ? request_type : continuation_type,
                              static_cast<unsigned>(more), sequence, id,
                              Bytes(payload.begin() + static_cast<long>(start),
                                    payload.begin() + static_cast<long>(end))));
    }
    return all;
}

TEST(Reassembly, PutsEveryLengthTogether) {
    auto reassembly = std::make_unique<rm::Reassembly>();
    for (const std::size_t size : {0, 1, 231, 232, 233, 464, 465, 5000, 63 * 232}) {
        const Bytes payload = pattern(size);
        const auto messages = fragments_of(5, 0x56000001, payload);
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const auto fed = reassembly->feed(messages[i]);
            ASSERT_TRUE(fed.has_value()) << fed.error();
            ASSERT_EQ(fed->has_value(), i + 1 == messages.size());
            if (fed->has_value()) {
                EXPECT_EQ((*fed)->id, 0x56000001U);
                EXPECT_EQ((*fed)->sequence, 5);
                EXPECT_EQ(Bytes((*fed)->payload.begin(), (*fed)->payload.end()), payload);
            }
        }
    }
}

TEST(Reassembly, DropsWhatIsMalformed) {
    rm::Reassembly reassembly;
    EXPECT_FALSE(reassembly.feed({}).has_value());
    EXPECT_FALSE(reassembly.feed(pattern(7)).has_value());
    EXPECT_FALSE(reassembly.feed(message(request_type, 0, 0, 1, pattern(233))).has_value());
    EXPECT_FALSE(reassembly.feed(message(request_type, 0, 0, 1, {}, 0x11)).has_value());
    EXPECT_FALSE(reassembly.feed(message(request_type, 63, 0, 1, {})).has_value());
    EXPECT_FALSE(reassembly.feed(message(GH_RM_RPC_REPLY, 0, 0, 1, {})).has_value());
    EXPECT_FALSE(reassembly.feed(message(GH_RM_RPC_NOTIFICATION, 0, 0, 1, {})).has_value());
    EXPECT_FALSE(reassembly.feed(message(continuation_type, 1, 0, 1, {})).has_value());
    EXPECT_TRUE(reassembly.feed(message(request_type, 0, 0, 1, {})).has_value());
}

TEST(Reassembly, AContinuationMustMatchItsStart) {
    rm::Reassembly reassembly;
    struct {
        unsigned fragments;
        std::uint16_t sequence;
        std::uint32_t id;
    } const wrong[] = {{3, 9, 7}, {2, 8, 7}, {2, 9, 6}};
    for (const auto& each : wrong) {
        ASSERT_TRUE(reassembly.feed(message(request_type, 2, 9, 7, pattern(232))).has_value());
        EXPECT_FALSE(reassembly
                         .feed(message(continuation_type, each.fragments, each.sequence, each.id,
                                       pattern(10)))
                         .has_value());
        // What was collected is gone: the right continuation comes too late.
        EXPECT_FALSE(reassembly.feed(message(continuation_type, 2, 9, 7, pattern(10))).has_value());
    }
}

TEST(Reassembly, ANewRequestReplacesAnIncompleteOne) {
    rm::Reassembly reassembly;
    ASSERT_TRUE(reassembly.feed(message(request_type, 5, 1, 1, pattern(232))).has_value());
    const auto fed = reassembly.feed(message(request_type, 0, 2, 2, pattern(3)));
    ASSERT_TRUE(fed.has_value() && fed->has_value());
    EXPECT_EQ((*fed)->id, 2U);
    EXPECT_EQ((*fed)->payload.size(), 3U);
}

TEST(Reassembly, SurvivesNoise) {
    rm::Reassembly reassembly;
    std::mt19937 random(3);
    std::size_t complete = 0;
    for (int i = 0; i < 100000; ++i) {
        Bytes noise(random() % 260);
        for (std::byte& byte : noise) {
            byte = static_cast<std::byte>(random());
        }
        if (noise.size() > 8 && random() % 8 != 0) {
            noise[0] = std::byte{GH_RM_RPC_API};
            noise[1] = static_cast<std::byte>((random() % 2) | ((random() % 4) << 2));
            for (std::size_t j = 2; j < 8; ++j) {
                noise[j] = std::byte{0};
            }
        }
        const auto fed = reassembly.feed(noise);
        if (fed && *fed) {
            ++complete;
            ASSERT_LE((*fed)->payload.size(), rm::max_request_payload);
        }
    }
    EXPECT_GT(complete, 100U);
}

/// Answers with as many bytes as the request's first four bytes say.
struct EchoHandler final : rm::RequestHandler {
    rm::RmResult<> handle(std::uint32_t from, const rm::Request& request,
                          rm::Answer& answer) override {
        EXPECT_EQ(from, 3U);
        ++requests;
        rm::Reader reader(request.payload);
        const std::uint32_t size = reader.u32();
        for (std::uint32_t i = 0; i < size; ++i) {
            answer.payload().u8(static_cast<std::uint8_t>(i * 7 + i / 256));
        }
        if (notify) {
            const std::array<std::byte, 2> content{std::byte{1}, std::byte{2}};
            answer.notify_after(0x56100008, content);
        }
        if (error) {
            return std::unexpected(*error);
        }
        return {};
    }
    std::size_t requests = 0;
    bool notify = false;
    std::optional<rm::RmError> error;
};

struct ChannelTest : ::testing::Test {
    ChannelTest() {
        for (rm::CapId* queue : {&to_rm, &from_rm}) {
            *queue = *model.create(rm::ObjectType::msgqueue, model.partition, model.cspace);
            EXPECT_TRUE(model.msgqueue_configure(*queue, 8, 240).has_value());
        }
        EXPECT_TRUE(model.msgqueue_bind_receive(to_rm, bound_vic(), 32).has_value());
        EXPECT_TRUE(model.msgqueue_bind_send(from_rm, bound_vic(), 33).has_value());
        channel = std::make_unique<rm::Channel>(model, from_rm, to_rm, 3);
    }

    static Bytes size_request(std::uint32_t size) {
        Bytes payload(4);
        for (unsigned i = 0; i < 4; ++i) {
            payload[i] = static_cast<std::byte>(size >> (8 * i));
        }
        return payload;
    }

    [[nodiscard]] rm::CapId bound_vic() const { return model.vic; }
    /// What the event loop does: nothing without an interrupt.
    void serve_if_interrupted() {
        if (!model.raised.empty()) {
            model.raised.clear();
            channel->serve(handler);
        }
    }

    rm::testing::ModelHypervisor model;
    rm::CapId to_rm;
    rm::CapId from_rm;
    std::unique_ptr<rm::Channel> channel;
    EchoHandler handler;
};

TEST_F(ChannelTest, RepliesCarryErrorSequenceAndId) {
    handler.error = rm::RmError::vm_state;
    handler.notify = true;
    ASSERT_TRUE(
        model.peer_send(to_rm, message(request_type, 0, 0x1234, 0x56000006, size_request(5))));
    channel->serve(handler);
    const auto reply = model.peer_receive(from_rm);
    Bytes error_code(4);
    error_code[0] = std::byte{0x14};
    EXPECT_EQ(reply, message(GH_RM_RPC_REPLY, 0, 0x1234, 0x56000006, error_code));
    EXPECT_EQ(model.peer_receive(from_rm),
              message(GH_RM_RPC_NOTIFICATION, 0, 0, 0x56100008, {std::byte{1}, std::byte{2}}));
}

/// Reads everything that comes while RM's send interrupt is served like in its event loop.
std::vector<Bytes> drain(rm::testing::ModelHypervisor& model, rm::CapId queue, rm::Channel& channel,
                         EchoHandler& handler) {
    std::vector<Bytes> all;
    while (auto next = model.peer_receive(queue)) {
        all.push_back(std::move(*next));
        channel.serve(handler);
    }
    return all;
}

TEST_F(ChannelTest, LongRepliesAreFragmentedAndNoneIsLost) {
    for (const std::uint32_t size : {0U, 227U, 228U, 229U, 3000U, 14612U}) {
        ASSERT_TRUE(model.peer_send(to_rm, message(request_type, 0, 1, 2, size_request(size))));
        channel->serve(handler);
        const auto messages = drain(model, from_rm, *channel, handler);
        const std::size_t more = (4 + size - 1) / 232;
        ASSERT_EQ(messages.size(), more + 1);
        Bytes content;
        for (std::size_t i = 0; i < messages.size(); ++i) {
            const auto header = rm::MessageHeader::parse(messages[i]);
            ASSERT_TRUE(header.has_value());
            EXPECT_EQ(header->type, i == 0 ? GH_RM_RPC_REPLY : GH_RM_RPC_CONTINUATION);
            EXPECT_EQ(header->fragments, more);
            EXPECT_EQ(header->sequence, 1);
            EXPECT_EQ(header->id, 2U);
            content.insert(content.end(), messages[i].begin() + 8, messages[i].end());
        }
        EXPECT_EQ(Bytes(content.begin() + 4, content.end()), pattern(size));
    }
}

TEST_F(ChannelTest, TooLongAnAnswerIsAnError) {
    ASSERT_TRUE(model.peer_send(to_rm, message(request_type, 0, 1, 2, size_request(14613))));
    channel->serve(handler);
    const auto reply = model.peer_receive(from_rm);
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->size(), 12U);
    EXPECT_EQ((*reply)[8], std::byte{GH_RM_ERROR_NORESOURCE});
}

/// The public stack loses replies here: many requests from a peer that does not read.
TEST_F(ChannelTest, APeerThatDoesNotReadLosesNothing) {
    constexpr std::size_t total = 1000;
    handler.notify = true;
    std::size_t sent = 0;
    for (int idle = 0; idle < 50; ++idle) {
        while (sent < total &&
               model.peer_send(to_rm, message(request_type, 0, static_cast<std::uint16_t>(sent), 7,
                                              size_request(300)))) {
            ++sent;
        }
        serve_if_interrupted();
    }
    EXPECT_LT(sent, total) << "RM must stop taking requests";
    std::size_t replies = 0;
    std::size_t notifications = 0;
    while (replies < total) {
        const auto next = model.peer_receive(from_rm);
        ASSERT_TRUE(next.has_value()) << "stuck after " << replies << " replies";
        const auto header = rm::MessageHeader::parse(*next);
        if (header->type == GH_RM_RPC_REPLY) {
            ASSERT_EQ(header->sequence, replies);
            ++replies;
        }
        notifications += header->type == GH_RM_RPC_NOTIFICATION ? 1 : 0;
        if (sent < total &&
            model.peer_send(to_rm, message(request_type, 0, static_cast<std::uint16_t>(sent), 7,
                                           size_request(300)))) {
            ++sent;
        }
        serve_if_interrupted();
    }
    for (const Bytes& rest : drain(model, from_rm, *channel, handler)) {
        const auto header = rm::MessageHeader::parse(rest);
        notifications += header->type == GH_RM_RPC_NOTIFICATION ? 1 : 0;
    }
    EXPECT_EQ(notifications, total);
    EXPECT_EQ(handler.requests, total);
}

TEST_F(ChannelTest, NoiseIsDroppedAndTheNextRequestServed) {
    for (int round = 0; round < 100; ++round) {
        ASSERT_TRUE(model.peer_send(to_rm, pattern(static_cast<std::size_t>(round % 240) + 1)));
        channel->serve(handler);
        EXPECT_FALSE(model.peer_receive(from_rm).has_value());
    }
    ASSERT_TRUE(model.peer_send(to_rm, message(request_type, 0, 1, 2, size_request(1))));
    channel->serve(handler);
    EXPECT_TRUE(model.peer_receive(from_rm).has_value());
}

} // namespace
