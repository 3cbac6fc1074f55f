// SPDX-License-Identifier: BSD-3-Clause
// Tests of the control socket: its language, its server with real clients, its commands' errors.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "app/control_client.hpp"
#include "app/control_command.hpp"
#include "app/control_protocol.hpp"
#include "app/control_server.hpp"
#include "app/runtime_folder.hpp"
#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

struct FakeVm : ControlTarget {
    [[nodiscard]] VmInfo info() const override {
        return {.name = "web",
                .process = 7,
                .state = state,
                .config = R"({"cpus": 2, "mem": "1G"})",
                .consoles = {{.name = "", .place = "/dev/pts/3"}}};
    }
    [[nodiscard]] std::vector<DeviceCounts> device_counts() const override {
        return {{.name = "disk0", .requests = 3, .kicks = 2, .interrupts = 1}};
    }
    void press_power_button() override { ++presses; }
    void force_stop() override { ++stops; }
    void pause() override { state = "paused"; }
    void resume() override { state = "running"; }
    [[nodiscard]] std::optional<unsigned> find_console(std::string_view which) const override {
        return which == "0" || which == "log" ? std::optional{0U} : std::nullopt;
    }
    void attach_console(unsigned console, gunyah::FileDescriptor socket,
                        std::string_view typed) override {
        ++attached;
        EXPECT_EQ(console, 0U);
        EXPECT_EQ(::send(socket.get(), typed.data(), typed.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(typed.size()));
    }
    void resize_console(unsigned /*console*/, ConsoleSize new_size) override { size = new_size; }

    unsigned attached = 0;
    ConsoleSize size;
    std::string state = "running";
    unsigned presses = 0;
    unsigned stops = 0;
};

class ControlProtocol : public testing::Test {
protected:
    std::string reply(std::string_view line) { return answer_control(line, vm).line; }

    FakeVm vm;
};

TEST_F(ControlProtocol, Answers) {
    EXPECT_EQ(reply(R"({"command":"info","id":5})"),
              R"({"version":1,"id":5,"name":"web","process":7,"state":"running",)"
              R"("config":{"cpus":2,"mem":"1G"},)"
              R"("consoles":[{"name":"","place":"/dev/pts/3"}],"ok":true})"
              "\n");
    EXPECT_EQ(reply(R"({"command":"stats","version":1})"),
              R"({"version":1,"devices":[{"name":"disk0","requests":3,"kicks":2,"interrupts":1}],)"
              R"("ok":true})"
              "\n");
}

TEST_F(ControlProtocol, ActsAndTellsListeners) {
    EXPECT_EQ(answer_control(R"({"command":"pause"})", vm).event,
              "{\"version\":1,\"event\":\"paused\"}\n");
    EXPECT_EQ(vm.state, "paused");
    EXPECT_EQ(answer_control(R"({"command":"resume"})", vm).event,
              "{\"version\":1,\"event\":\"resumed\"}\n");
    EXPECT_EQ(vm.state, "running");
    EXPECT_EQ(answer_control(R"({"command":"stop","force":false})", vm).event,
              "{\"version\":1,\"event\":\"power-button\"}\n");
    EXPECT_EQ(vm.presses, 1U);
    EXPECT_EQ(answer_control(R"({"command":"stop","force":true})", vm).event, "");
    EXPECT_EQ(vm.stops, 1U);
    EXPECT_TRUE(answer_control(R"({"command":"events"})", vm).listens);
    EXPECT_EQ(ended_event({ExitStatus::reboot, "over"}),
              "{\"version\":1,\"event\":\"ended\",\"status\":3,\"sentence\":\"over\"}\n");
}

TEST_F(ControlProtocol, NamesConsolesByNumberOrName) {
    EXPECT_EQ(answer_control(R"({"command":"console"})", vm).console, 0U);
    EXPECT_EQ(answer_control(R"({"command":"console","console":0})", vm).console, 0U);
    const ControlAnswer answer = answer_control(R"({"command":"console","console":"log"})", vm);
    EXPECT_EQ(answer.console, 0U);
    EXPECT_EQ(answer.line, "{\"version\":1,\"console\":0,\"ok\":true}\n");
    for (const char* wrong : {"1", "-1", "\"no\"", "[]", "null"}) {
        const ControlAnswer refusal =
            answer_control(std::string{R"({"command":"console","console":)"} + wrong + "}", vm);
        EXPECT_FALSE(refusal.console);
        EXPECT_NE(refusal.line.find("no such console"), std::string::npos);
    }
    EXPECT_NE(reply(R"({"command":"resize","columns":80,"rows":25})").find("true"),
              std::string::npos);
    EXPECT_EQ(vm.size, (ConsoleSize{.columns = 80, .rows = 25}));
    EXPECT_NE(reply(R"({"command":"resize","columns":0,"rows":65536})").find("from 1 to 65535"),
              std::string::npos);
}

TEST_F(ControlProtocol, SaysWhatIsWrong) {
    const auto says = [&](std::string_view line, std::string_view part) {
        const std::string text = reply(line);
        EXPECT_NE(text.find(R"("ok":false)"), std::string::npos) << text;
        EXPECT_NE(text.find(part), std::string::npos) << text;
        EXPECT_EQ(text.find('\n'), text.size() - 1);
    };
    says("", "not a JSON object");
    says("[]", "not a JSON object");
    says("{", "not a JSON object");
    says("{}", "no \\\"command\\\"");
    says(R"({"command":1})", "no \\\"command\\\"");
    says(R"({"command":"explode"})", "there is no command \\\"explode\\\"; known are info");
    says(R"({"command":"info","version":2})", "version 1 only");
    says(std::string(60'000, '['), "not a JSON object");
    says(R"({"id":)" + std::string(20'000, '[') + std::string(20'000, ']') + "}", "no \\\"command");
    EXPECT_EQ(vm.presses + vm.stops, 0U);
}

// A folder for sockets that is this test's alone.
class ControlSocket : public testing::Test {
protected:
    ControlSocket() {
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        path = folder + "/web.sock";
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    }
    ~ControlSocket() override { std::filesystem::remove_all(folder); }

    std::string folder = testing::TempDir() + "/gunyah-control-XXXXXX";
    std::string path;
};

std::string ask(int socket, std::string_view text) {
    EXPECT_EQ(::send(socket, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    std::string answer(2000, '\0');
    const ssize_t count = ::recv(socket, answer.data(), answer.size(), 0);
    answer.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return answer;
}

TEST_F(ControlSocket, ServesSeveralClientsAndTellsThemTheEnd) {
    EventLoop loop;
    FakeVm vm;
    LeftoverRemover remover;
    ControlServer server{path, remover, loop};
    server.serve(vm);
    std::thread runner{[&] { loop.run(); }};
    const auto first = connect_unix(path, true);
    const auto second = connect_unix(path, true);
    ASSERT_TRUE(first);
    ASSERT_TRUE(second);
    EXPECT_NE(ask(first.get(), "{\"command\":\"events\"}\n").find("\"ok\":true"),
              std::string::npos);
    // A line in two pieces.
    EXPECT_EQ(::send(second.get(), "{\"command\":", 11, 0), 11);
    EXPECT_NE(ask(second.get(), "\"pause\"}\n").find("\"ok\":true"), std::string::npos);
    std::string event(100, '\0');
    EXPECT_GT(::recv(first.get(), event.data(), event.size(), 0), 0);
    EXPECT_NE(event.find("paused"), std::string::npos);
    // Too long a line costs the connection, nothing else.
    const std::string flood(longest_control_line + 5000, 'x');
    static_cast<void>(::send(second.get(), flood.data(), flood.size(), MSG_NOSIGNAL));
    char byte = 0;
    EXPECT_LE(::recv(second.get(), &byte, 1, 0), 0);
    loop.stop();
    runner.join();
    server.broadcast("bye\n");
    EXPECT_EQ(::recv(first.get(), event.data(), event.size(), 0), 4);
}

TEST_F(ControlSocket, AConnectionBecomesAConsole) {
    EventLoop loop;
    FakeVm vm;
    LeftoverRemover remover;
    ControlServer server{path, remover, loop};
    server.serve(vm);
    std::thread runner{[&] { loop.run(); }};
    const auto client = connect_unix(path, true);
    std::string said = ask(client.get(), "{\"command\":\"console\"}\n{\"command\":\"stop\"}\n");
    char byte = 0;
    while (::recv(client.get(), &byte, 1, 0) == 1) {
        said += byte;
    }
    loop.stop();
    runner.join();
    EXPECT_EQ(said, "{\"version\":1,\"console\":0,\"ok\":true}\n{\"command\":\"stop\"}\n");
    EXPECT_EQ(vm.attached, 1U);
    EXPECT_EQ(vm.presses, 0U);
}

TEST_F(ControlSocket, ANameIsTakenOnlyWhileSomebodyListens) {
    EventLoop loop;
    {
        LeftoverRemover remover;
        ControlServer server{path, remover, loop};
        try {
            const ControlServer other{path, remover, loop};
            FAIL() << "two listen at one path";
        } catch (const gunyah::Error& error) {
            EXPECT_EQ(error.kind(), gunyah::ErrorKind::busy);
        }
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    static_cast<void>(listen_at(path)); // leaves the file behind, like a VM killed with its remover
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_FALSE(connect_unix(path, true));
    LeftoverRemover remover;
    EXPECT_NO_THROW((ControlServer{path, remover, loop}));
}

TEST_F(ControlSocket, RefusesUnsafeFoldersAndLongPaths) {
    std::filesystem::permissions(folder, std::filesystem::perms::all);
    EXPECT_THROW(listen_at(path), gunyah::Error);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    EXPECT_THROW(listen_at(folder + "/" + std::string(150, 'n')), gunyah::Error);
}

TEST(ControlCommands, SayThatThereIsNoSuchVm) {
    try {
        carry_out({.kind = ControlCommand::Kind::info, .name = "no-such-vm-here"});
        FAIL() << "a VM was found";
    } catch (const gunyah::Error& error) {
        EXPECT_EQ(error.kind(), gunyah::ErrorKind::not_found);
        EXPECT_NE(std::string{error.what()}.find("no-such-vm-here"), std::string::npos);
    }
}

} // namespace
} // namespace vmm
