// SPDX-License-Identifier: BSD-3-Clause
// Tests of VsockHost: real sockets on one side, packets as a guest sends them on the other.
#include "vsock/host.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>

#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

constexpr std::uint64_t guest_cid = 7;
constexpr std::uint32_t guest_buffer = 1000;
using Operation = VsockOperation;

class VsockHostTest : public testing::Test {
protected:
    VsockHostTest() {
        ::mkdtemp(folder.data());
        host.emplace(guest_cid, listen_unix(folder + "/vsock"), connect);
    }
    ~VsockHostTest() override { std::filesystem::remove_all(folder); }

    std::function<gunyah::FileDescriptor(std::uint32_t)> connect = [this](std::uint32_t number) {
        return connect_unix(folder + "/vsock_" + std::to_string(number), false);
    };

    // A packet from the guest's port 5.
    void send(Operation operation, std::uint32_t to, std::string_view text = {},
              std::uint32_t flags = 0) {
        const std::array pieces{std::as_bytes(std::span{text})};
        host->receive({.source_cid = guest_cid,
                       .destination_cid = vsock_host_cid,
                       .source_port = 5,
                       .destination_port = to,
                       .length = static_cast<std::uint32_t>(text.size()),
                       .type = vsock_stream,
                       .operation = operation,
                       .flags = flags,
                       .buffer_size = guest_buffer,
                       .forwarded = forwarded},
                      pieces);
    }
    // The next packet for the guest; a reset of port 0 stands for none.
    VsockHeader next() {
        host->poll();
        if (!host->has_packet()) {
            return {};
        }
        const auto packet = host->take_packet(room);
        data.assign(reinterpret_cast<const char*>(packet.payload.data()), packet.payload.size());
        return packet.header;
    }
    static std::string get(const gunyah::FileDescriptor& socket) {
        std::array<char, 100'000> buffer;
        const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count < 0) {
            return errno == ECONNRESET ? "reset" : "nothing";
        }
        return count == 0 ? "end" : std::string{buffer.data(), static_cast<std::size_t>(count)};
    }
    static void put(const gunyah::FileDescriptor& socket, std::string_view text) {
        ASSERT_EQ(::send(socket.get(), text.data(), text.size(), 0),
                  static_cast<ssize_t>(text.size()));
    }
    // A program that has asked for the guest's port 5; `port` becomes the host's.
    gunyah::FileDescriptor ask() {
        auto program = connect_unix(folder + "/vsock", true);
        put(program, "CONNECT 5\n");
        host->poll(); // accepts
        const VsockHeader request = next();
        EXPECT_EQ(request.operation, Operation::request);
        EXPECT_EQ(request.destination_port, 5U);
        EXPECT_EQ(request.destination_cid, guest_cid);
        EXPECT_EQ(request.source_cid, vsock_host_cid);
        EXPECT_EQ(request.buffer_size, VsockCredit::buffer_size);
        port = request.source_port;
        return program;
    }
    gunyah::FileDescriptor connected() {
        auto program = ask();
        send(Operation::response, port);
        EXPECT_EQ(get(program), "OK " + std::to_string(port) + "\n");
        return program;
    }

    std::string folder = testing::TempDir() + "/gunyah-vsock-XXXXXX";
    std::optional<VsockHost> host;
    std::uint32_t forwarded = 0;
    std::uint32_t port = 0;
    std::size_t room = 4096;
    std::string data;
};

TEST_F(VsockHostTest, AProgramConnectsToTheGuest) {
    const auto program = connected();
    put(program, "hello");
    EXPECT_EQ(next().operation, Operation::data);
    EXPECT_EQ(data, "hello");
    send(Operation::data, port, "world");
    EXPECT_EQ(get(program), "world");
    EXPECT_EQ(next().destination_port, 0U) << "nothing more to say";
}

TEST_F(VsockHostTest, WhatFollowsTheGreetingIsForTheGuest) {
    const auto program = connect_unix(folder + "/vsock", true);
    put(program, "CONN");
    host->poll();
    EXPECT_EQ(next().destination_port, 0U);
    put(program, "ECT 5\nearly");
    const VsockHeader request = next();
    send(Operation::response, request.source_port);
    EXPECT_EQ(next().operation, Operation::data);
    EXPECT_EQ(data, "early");
}

TEST_F(VsockHostTest, OtherGreetingsAreRefused) {
    for (const char* greeting : {"HELLO 5\n", "CONNECT x\n", "CONNECT 5 \n", "CONNECT 4294967296\n",
                                 "CONNECT 5                                "}) {
        const auto program = connect_unix(folder + "/vsock", true);
        put(program, greeting);
        host->poll();
        EXPECT_EQ(next().destination_port, 0U);
        EXPECT_EQ(get(program), "reset") << greeting;
    }
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, TheGuestRefuses) {
    const auto program = ask();
    send(Operation::reset, port);
    EXPECT_EQ(get(program), "end");
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, TheGuestConnectsToAProgram) {
    const auto listener = listen_unix(folder + "/vsock_80");
    send(Operation::request, 80);
    const gunyah::FileDescriptor program{::accept(listener.get(), nullptr, nullptr)};
    EXPECT_EQ(next().operation, Operation::response);
    send(Operation::data, 80, "get");
    EXPECT_EQ(get(program), "get");
    put(program, "page");
    EXPECT_EQ(next().operation, Operation::data);
    send(Operation::request, 80); // once more, the same ports
    EXPECT_EQ(next().operation, Operation::reset);
}

TEST_F(VsockHostTest, WhatBelongsNowhereIsReset) {
    for (const auto operation : {Operation::request, Operation::response, Operation::data,
                                 Operation::shutdown, Operation::credit_request}) {
        send(operation, 81);
        const VsockHeader answer = next();
        EXPECT_EQ(answer.operation, Operation::reset);
        EXPECT_EQ(answer.source_port, 81U);
        EXPECT_EQ(answer.destination_port, 5U);
    }
    send(Operation::reset, 81);
    EXPECT_EQ(next().destination_port, 0U) << "a reset is never answered";
}

TEST_F(VsockHostTest, AnswersAreBounded) {
    unsigned count = 0;
    while (host->can_receive() && count < 10'000) {
        send(Operation::data, 81);
        ++count;
    }
    EXPECT_LT(count, 1000U);
    next();
    EXPECT_TRUE(host->can_receive());
}

TEST_F(VsockHostTest, SendsNoMoreThanTheGuestHasRoomFor) {
    const auto program = connected();
    put(program, std::string(1500, 'x'));
    room = 600;
    std::size_t total = 0;
    while (next().operation == Operation::data) {
        total += data.size();
    }
    EXPECT_EQ(total, guest_buffer);
    EXPECT_EQ(next().destination_port, 0U);
    forwarded = 700;
    send(Operation::credit_update, port);
    while (next().operation == Operation::data) {
        total += data.size();
    }
    EXPECT_EQ(total, 1500U);
}

TEST_F(VsockHostTest, AProgramThatDoesNotReadFillsOneBufferOnly) {
    const auto program = connected();
    const std::string piece(4096, 'y');
    std::size_t sent = 0;
    VsockHeader answer;
    // The kernel's socket buffer, ours, then the guest breaks its promise.
    do {
        send(Operation::data, port, piece);
        sent += piece.size();
        answer = next();
    } while (answer.operation != Operation::reset || answer.destination_port == 0);
    EXPECT_GT(sent, VsockCredit::buffer_size);
    EXPECT_LT(sent, std::size_t{16} << 20);
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, WhatIsLateIsWrittenOutBeforeTheEnd) {
    const auto program = connected();
    std::uint32_t sent = 0;
    // Without a reader the guest gets no more credit at some time.
    for (std::uint32_t seen = 0; sent - seen + 4096 <= VsockCredit::buffer_size; sent += 4096) {
        send(Operation::data, port, std::string(4096, 'z'));
        const VsockHeader answer = next();
        seen = answer.operation == Operation::credit_update ? answer.forwarded : seen;
    }
    send(Operation::shutdown, port, {}, vsock_no_send | vsock_no_receive);
    send(Operation::reset, port); // it has waited long enough
    std::size_t received = 0;
    for (std::string text = get(program); text != "end"; text = get(program)) {
        ASSERT_NE(text, "nothing");
        received += text.size();
        host->poll();
    }
    EXPECT_EQ(received, sent);
    EXPECT_EQ(next().destination_port, 0U) << "the guest has forgotten it";
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, EachDirectionEndsByItself) {
    const auto program = connected();
    ::shutdown(program.get(), SHUT_WR);
    VsockHeader header = next();
    EXPECT_EQ(header.operation, Operation::shutdown);
    EXPECT_EQ(header.flags, vsock_no_send);
    send(Operation::data, port, "still");
    EXPECT_EQ(get(program), "still");
    send(Operation::shutdown, port, {}, vsock_no_send);
    EXPECT_EQ(get(program), "end");
    send(Operation::shutdown, port, {}, vsock_no_receive);
    EXPECT_EQ(next().operation, Operation::reset);
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, DataAfterTheEndIsAnError) {
    const auto program = connected();
    send(Operation::shutdown, port, {}, vsock_no_send);
    EXPECT_EQ(get(program), "end");
    send(Operation::data, port, "more");
    EXPECT_EQ(next().operation, Operation::reset);
}

TEST_F(VsockHostTest, AProgramThatDiesIsToldToTheGuest) {
    auto program = connected();
    put(program, "last words");
    program = gunyah::FileDescriptor{};
    std::vector<Operation> operations;
    for (VsockHeader header = next(); header.destination_port != 0; header = next()) {
        operations.push_back(header.operation);
    }
    ASSERT_GE(operations.size(), 2U);
    EXPECT_EQ(operations.front(), Operation::data) << "nothing is lost";
    EXPECT_EQ(operations.back(), Operation::shutdown);
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, NothingToDoWakesNobody) {
    const auto idle = [this] {
        std::array<WaitSet::Ready, 1> ready;
        WaitSet outer;
        outer.add(host->fd(), 0, 1 /* EPOLLIN */);
        return outer.poll(ready) == 0;
    };
    EXPECT_TRUE(idle());
    auto program = connected();
    EXPECT_TRUE(idle());
    put(program, std::string(1500, 'x'));
    EXPECT_FALSE(idle());
    while (next().operation == Operation::data) {
    }
    EXPECT_TRUE(idle()) << "the guest has no room";
    ::shutdown(program.get(), SHUT_WR);
    EXPECT_TRUE(idle());
    forwarded = 1000;
    send(Operation::credit_update, port);
    while (next().destination_port != 0) {
    }
    EXPECT_TRUE(idle()) << "half closed";
    send(Operation::shutdown, port, {}, vsock_no_receive);
    EXPECT_TRUE(idle());
    program = gunyah::FileDescriptor{};
    while (next().destination_port != 0) {
    }
    EXPECT_TRUE(idle());
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, ManyProgramsAtOnce) {
    std::vector<gunyah::FileDescriptor> programs;
    for (unsigned count = 0; count < 300; ++count) {
        programs.push_back(connected());
    }
    for (unsigned count = 0; count < 300; ++count) {
        put(programs[count], std::to_string(count));
    }
    std::size_t bytes = 0;
    while (next().operation == Operation::data) {
        bytes += data.size();
    }
    EXPECT_EQ(bytes, 10U + 90 * 2 + 200 * 3);
    host->reset();
    EXPECT_EQ(get(programs.front()), "end");
    EXPECT_EQ(get(programs.back()), "end");
    EXPECT_EQ(host->connections(), 0U);
}

TEST_F(VsockHostTest, OneTooManyWaitsForAPlace) {
    std::vector<gunyah::FileDescriptor> programs;
    for (std::size_t count = 0; count < VsockHost::most_connections; ++count) {
        programs.push_back(connect_unix(folder + "/vsock", true));
        host->poll();
    }
    const auto late = connect_unix(folder + "/vsock", true);
    put(late, "CONNECT 5\n");
    EXPECT_EQ(next().destination_port, 0U);
    EXPECT_EQ(host->connections(), VsockHost::most_connections);
    send(Operation::request, 80);
    EXPECT_EQ(next().operation, Operation::reset);
    programs.pop_back();
    host->poll();
    host->poll();
    EXPECT_EQ(next().operation, Operation::request);
}

TEST_F(VsockHostTest, OthersCannotConnect) {
    struct stat status{};
    EXPECT_EQ(::stat((folder + "/vsock").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_THROW(listen_unix(folder + "/vsock"), gunyah::Error);
    EXPECT_THROW(listen_unix(folder), gunyah::Error);
    EXPECT_THROW(listen_unix(folder + "/" + std::string(200, 'x')), gunyah::Error);
    host.reset(); // as that of a killed VMM: the socket stays, and is in nobody's way
    EXPECT_NO_THROW(listen_unix(folder + "/vsock"));
}

} // namespace
} // namespace vmm
