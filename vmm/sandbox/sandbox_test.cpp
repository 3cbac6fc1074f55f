// SPDX-License-Identifier: BSD-3-Clause
// Tests of the sandbox's parts: forbidden calls, users, and what is removed after a process.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "libgunyah/error.hpp"
#include "sandbox/call_filter.hpp"
#include "sandbox/leftover_remover.hpp"
#include "sandbox/privileges.hpp"
#include "sandbox/program_connector.hpp"
#include "sandbox/thread_calls.hpp"
#include "vsock/unix_socket.hpp"

namespace vmm {
namespace {

constexpr int crashed = 4;

// In a child: confines itself as `kind`, then does `action`, then ends with 0.
template <typename Action>
void confined(ThreadKind kind, const Action& action, const DeviceKinds& devices = {}) {
    if (!confine_thread(calls_of(kind, devices), "under test")) {
        ::_exit(77);
    }
    action();
    ::_exit(0);
}

TEST(SandboxDeathTest, AForbiddenCallEndsTheProcessWithASentence) {
    EXPECT_EXIT(confined(ThreadKind::vcpu, [] { ::syscall(SYS_getppid); }),
                testing::ExitedWithCode(crashed),
                "thread 'under test' made system call " + std::to_string(SYS_getppid));
    EXPECT_EXIT(
        confined(ThreadKind::main_loop, [] { ::syscall(SYS_openat, AT_FDCWD, "/etc/passwd", 0); }),
        testing::ExitedWithCode(crashed), "made system call " + std::to_string(SYS_openat));
    EXPECT_EXIT(confined(ThreadKind::console, [] { ::syscall(SYS_execve, "/bin/sh", 0, 0); }),
                testing::ExitedWithCode(crashed), "made system call");
}

TEST(SandboxDeathTest, AThreadsListIsItsOwn) {
    const auto call = [] { ::syscall(SYS_shutdown, -1, 0); };
    EXPECT_EXIT(confined(ThreadKind::main_loop, call), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(confined(ThreadKind::console, call), testing::ExitedWithCode(crashed),
                "made system call " + std::to_string(SYS_shutdown));
}

TEST(SandboxDeathTest, ADevicesCallsAreThoseOfVmsThatHaveIt) {
    struct Case {
        ThreadKind thread;
        long call;
        DeviceKinds devices;
    };
    const Case cases[] = {
        {ThreadKind::main_loop, SYS_pwritev, {.disks = true}},
        {ThreadKind::main_loop, SYS_openat, {.shares = true}},
        {ThreadKind::main_loop, SYS_epoll_ctl, {.networks = true}},
        {ThreadKind::main_loop, SYS_pidfd_send_signal, {.passt = true}},
        {ThreadKind::main_loop, SYS_recvmsg, {.vsock = true}},
        {ThreadKind::vcpu, SYS_epoll_ctl, {.networks = true}},
        {ThreadKind::vcpu, SYS_epoll_ctl, {.vsock = true}},
        {ThreadKind::vcpu, SYS_close, {.shares = true}},
    };
    for (const Case& each : cases) {
        const auto call = [&each] { ::syscall(each.call, -1, 0, 0, 0, 0); };
        EXPECT_EXIT(confined(each.thread, call, each.devices), testing::ExitedWithCode(0), "");
        EXPECT_EXIT(confined(each.thread, call), testing::ExitedWithCode(crashed),
                    "made system call " + std::to_string(each.call));
    }
}

TEST(SandboxDeathTest, NoThreadMakesSockets) {
    const auto call = [] { ::syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); };
    constexpr DeviceKinds all{
        .disks = true, .shares = true, .networks = true, .passt = true, .vsock = true};
    for (const auto thread : {ThreadKind::main_loop, ThreadKind::vcpu, ThreadKind::console}) {
        EXPECT_EXIT(confined(thread, call, all), testing::ExitedWithCode(crashed), "made system");
    }
    EXPECT_EXIT(confined(ThreadKind::connector, call), testing::ExitedWithCode(0), "");
}

TEST(SandboxDeathTest, NoThreadMakesMemoryExecutable) {
    const auto map = [](int protection) {
        return [protection] {
            ::syscall(SYS_mmap, 0, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        };
    };
    EXPECT_EXIT(confined(ThreadKind::vcpu, map(PROT_READ | PROT_WRITE)), testing::ExitedWithCode(0),
                "");
    EXPECT_EXIT(confined(ThreadKind::vcpu, map(PROT_READ | PROT_EXEC)),
                testing::ExitedWithCode(crashed), "made system call");
}

TEST(Sandbox, FindsUsers) {
    constexpr std::string_view passwd = "root:x:0:0:root:/root:/bin/sh\n"
                                        "broken\n"
                                        "gunyah:x:990:991::/:/bin/false\n";
    EXPECT_EQ(find_user("gunyah", passwd), (UserIds{990, 991}));
    EXPECT_EQ(find_user("990", passwd), (UserIds{990, 991}));
    EXPECT_EQ(find_user("root", passwd), (UserIds{0, 0}));
    EXPECT_EQ(find_user("1234", passwd), (UserIds{1234, 1234}));
    EXPECT_EQ(find_user("somebody", passwd), std::nullopt);
    EXPECT_EQ(find_user("", passwd), std::nullopt);
    EXPECT_EQ(find_user("broken", passwd), std::nullopt);
    EXPECT_EQ(find_user("-1", passwd), std::nullopt);
}

class HelperTest : public testing::Test {
protected:
    HelperTest() { EXPECT_NE(::mkdtemp(folder.data()), nullptr); }
    ~HelperTest() override { std::filesystem::remove_all(folder); }

    std::string folder = testing::TempDir() + "/gunyah-helper-XXXXXX";
};
using LeftoverRemoverTest = HelperTest;
using ProgramConnectorTest = HelperTest;

TEST_F(ProgramConnectorTest, ConnectsToWhoListens) {
    // Not confined: the sanitizers of test builds need more calls at the end of a process.
    const ProgramConnector connector{folder + "/vsock", false};
    const auto listener = listen_unix(folder + "/vsock_80");
    EXPECT_FALSE(connector.connect(81));
    for (int round = 0; round < 3; ++round) {
        const gunyah::FileDescriptor ours = connector.connect(80);
        ASSERT_TRUE(ours);
        const gunyah::FileDescriptor theirs{::accept(listener.get(), nullptr, nullptr)};
        EXPECT_EQ(::send(ours.get(), "hello", 5, 0), 5);
        char text[6]{};
        EXPECT_EQ(::recv(theirs.get(), text, sizeof(text), 0), 5);
        EXPECT_STREQ(text, "hello");
        EXPECT_EQ(::recv(ours.get(), text, sizeof(text), 0), -1);
        EXPECT_EQ(errno, EAGAIN) << "it blocks";
        EXPECT_NE(::fcntl(ours.get(), F_GETFD) & FD_CLOEXEC, 0);
    }
    EXPECT_FALSE(connector.connect(81));
}

TEST_F(ProgramConnectorTest, RefusesWhenTooManyWait) {
    const ProgramConnector connector{folder + "/vsock", false};
    const auto listener = listen_unix(folder + "/vsock_80");
    std::vector<gunyah::FileDescriptor> waiting;
    for (auto one = connector.connect(80); one && waiting.size() < 1000;
         one = connector.connect(80)) {
        waiting.push_back(std::move(one));
    }
    EXPECT_LT(waiting.size(), 1000U);
    EXPECT_THROW(listen_unix(folder + "/vsock_80"), gunyah::Error) << "busy is not gone";
}

TEST_F(LeftoverRemoverTest, RemovesItsSocketsAndNothingElse) {
    const std::string own = folder + "/own.sock";
    const std::string taken = folder + "/taken.sock";
    const std::string file = folder + "/file";
    std::ofstream{file} << "precious";
    auto first = listen_unix(own);
    auto second = listen_unix(taken);
    {
        LeftoverRemover remover;
        for (const std::string& path : {own, taken, file}) {
            remover.add(path);
        }
        remover.seal();
        std::filesystem::remove(taken);
        second = listen_unix(taken); // somebody else's
    }
    EXPECT_FALSE(std::filesystem::exists(own));
    EXPECT_TRUE(std::filesystem::exists(taken));
    EXPECT_TRUE(std::filesystem::exists(file));
}

TEST_F(LeftoverRemoverTest, TakesNothingOnceSealed) {
    const std::string path = folder + "/other.sock";
    const auto socket = listen_unix(path);
    {
        LeftoverRemover remover;
        remover.seal();
        EXPECT_THROW(remover.add(path), gunyah::Error);
    }
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(LeftoverRemoverTest, RemovesWhatAKilledProcessLeaves) {
    const std::string path = folder + "/killed.sock";
    const pid_t child = ::fork();
    if (child == 0) {
        LeftoverRemover remover;
        const auto socket = listen_unix(path);
        remover.add(path);
        ::raise(SIGKILL);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    for (int tries = 0; tries < 1000 && std::filesystem::exists(path); ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

} // namespace
} // namespace vmm
