// SPDX-License-Identifier: BSD-3-Clause
// Tests of StreamBackend: frames cut anywhere, a full socket, an end that talks nonsense.
#include "net/stream_backend.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>

namespace vmm {
namespace {

class StreamBackendTest : public testing::Test {
protected:
    StreamBackendTest() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
        other = gunyah::FileDescriptor{ends[1]};
        ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
        backend.emplace(gunyah::FileDescriptor{ends[0]});
    }

    void put(std::string_view bytes) {
        ASSERT_EQ(::send(other.get(), bytes.data(), bytes.size(), 0),
                  static_cast<ssize_t>(bytes.size()));
    }
    // All that is there.
    std::string get() {
        std::string result;
        std::array<char, 65536> buffer;
        for (ssize_t count = 0;
             (count = ::recv(other.get(), buffer.data(), buffer.size(), 0)) > 0;) {
            result.append(buffer.data(), static_cast<std::size_t>(count));
        }
        return result;
    }
    std::string take() {
        const auto frame = backend->front();
        if (!frame) {
            return "none";
        }
        std::string text{reinterpret_cast<const char*>(frame->bytes.data()), frame->bytes.size()};
        backend->pop();
        return text;
    }
    void send(std::string_view first, std::string_view second) {
        const std::array pieces{std::as_bytes(std::span{first}), std::as_bytes(std::span{second})};
        backend->send({}, pieces);
    }

    gunyah::FileDescriptor other;
    std::optional<StreamBackend> backend;
};

std::string framed(std::string_view text) {
    const std::size_t size = text.size();
    std::string result{'\0', static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                       static_cast<char>(size)};
    return result.append(text);
}

TEST_F(StreamBackendTest, SendsPiecesAsOneFrame) {
    EXPECT_TRUE(backend->can_send());
    send("hel", "lo");
    EXPECT_EQ(get(), framed("hello"));
}

TEST_F(StreamBackendTest, ReceivesFramesHoweverTheyAreCut) {
    const std::string stream = framed("first") + framed("") + framed(std::string(70, 'x'));
    std::vector<std::string> frames;
    for (const char letter : stream) {
        put({&letter, 1});
        for (std::string frame = take(); frame != "none"; frame = take()) {
            frames.push_back(frame);
        }
    }
    EXPECT_EQ(frames, (std::vector<std::string>{"first", "", std::string(70, 'x')}));
    put(stream + stream);
    EXPECT_EQ(take(), "first");
    EXPECT_EQ(backend->front()->bytes.size(), 0U);
    EXPECT_EQ(backend->front()->bytes.size(), 0U) << "stays until pop()";
}

TEST_F(StreamBackendTest, TakesTheLongestFramesOneAfterTheOther) {
    const std::string longest(NetBackend::longest_frame, 'y');
    for (int round = 0; round < 5; ++round) {
        put(framed(longest));
        put(framed("short"));
        EXPECT_EQ(take(), longest);
        EXPECT_EQ(take(), "short");
    }
}

TEST_F(StreamBackendTest, AFullSocketLosesNothingOfAFrameBegun) {
    const std::string big(60'000, 'z');
    unsigned sent = 0;
    while (backend->can_send() && sent < 1000) {
        send(big, "end");
        ++sent;
    }
    ASSERT_LT(sent, 1000U) << "never full";
    std::string all;
    while (!backend->can_send()) {
        all += get();
    }
    all += get();
    // The first ones as they are; the last one whole, or not at all.
    const std::string frame = framed(big + "end");
    EXPECT_EQ(all.size() % frame.size(), 0U);
    EXPECT_GE(all.size() / frame.size(), sent - 1U);
    EXPECT_EQ(all.substr(all.size() - frame.size()), frame);
}

TEST_F(StreamBackendTest, ATooLongFrameEndsTheConnection) {
    put(framed("good"));
    put(std::string("\x00\x02\x00\x00", 4));
    EXPECT_EQ(take(), "good");
    EXPECT_EQ(take(), "none");
    EXPECT_FALSE(backend->is_open());
    EXPECT_TRUE(backend->can_send()) << "what is sent is lost; nobody waits for ever";
    send("a", "b");
    EXPECT_EQ(get(), "");
}

TEST_F(StreamBackendTest, NoticesThatTheOtherEndHasGone) {
    put(framed("last"));
    other = gunyah::FileDescriptor{};
    EXPECT_EQ(take(), "last");
    EXPECT_EQ(take(), "none");
    EXPECT_FALSE(backend->is_open());
}

TEST_F(StreamBackendTest, NoticesItWhileSending) {
    other = gunyah::FileDescriptor{};
    send("a", "b");
    EXPECT_FALSE(backend->is_open());
}

} // namespace
} // namespace vmm
