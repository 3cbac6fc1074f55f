// SPDX-License-Identifier: BSD-3-Clause
// Tests of the console's host side: escapes, endpoints, output batching, input back-pressure.
#include "app/console.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/guest_devices.hpp"
#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using gunyah::FileDescriptor;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}
std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Pipe {
    Pipe() {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        out = FileDescriptor{ends[0]};
        in = FileDescriptor{ends[1]};
    }
    FileDescriptor out;
    FileDescriptor in;
};

std::string read_some(int fd, std::size_t count) {
    std::string text(count, '\0');
    std::size_t have = 0;
    while (have < count) {
        const ssize_t got = ::read(fd, text.data() + have, count - have);
        if (got <= 0) {
            break;
        }
        have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    return text;
}

TEST(EscapeFilter, PassesEverythingButTheCommands) {
    EscapeFilter filter;
    EXPECT_EQ(text_of(filter.filter(bytes_of("hello")).bytes), "hello");
    EXPECT_EQ(text_of(filter.filter(bytes_of("a\x01\x01z")).bytes), "a\x01z");
    EXPECT_EQ(text_of(filter.filter(bytes_of("\x01q")).bytes), "\x01q");
}

TEST(EscapeFilter, StopsOnXInOneOrTwoReads) {
    EscapeFilter one;
    const auto result = one.filter(bytes_of("ab\x01xcd"));
    EXPECT_TRUE(result.stop);
    EXPECT_EQ(text_of(result.bytes), "ab");
    EscapeFilter two;
    EXPECT_FALSE(two.filter(bytes_of("\x01")).stop);
    EXPECT_TRUE(two.filter(bytes_of("X")).stop);
    EscapeFilter none;
    EXPECT_FALSE(none.filter(bytes_of("\x01\x01x")).stop);
}

TEST(ConsoleOutput, DeliversEverythingInOrder) {
    const Pipe pipe;
    {
        ConsoleOutput output{pipe.in.get(), ConsoleOutput::Slow::wait};
        for (int line = 0; line < 100; ++line) {
            output.write(bytes_of(std::to_string(line) + "\n"));
        }
    }
    std::string expected;
    for (int line = 0; line < 100; ++line) {
        expected += std::to_string(line) + "\n";
    }
    EXPECT_EQ(read_some(pipe.out.get(), expected.size()), expected);
}

TEST(ConsoleOutput, AReaderThatIsGoneDoesNotStopTheGuest) {
    std::signal(SIGPIPE, SIG_IGN);
    Pipe pipe;
    static_cast<void>(FileDescriptor{std::move(pipe.out)}); // closes it
    ConsoleOutput output{pipe.in.get(), ConsoleOutput::Slow::wait};
    for (int round = 0; round < 100; ++round) {
        output.write(bytes_of(std::string(10'000, 'x')));
    }
}

TEST(ConsoleOutput, AStuckReaderHoldsTheGuestUpOnlyUntilItIsStopped) {
    const Pipe pipe;
    ConsoleOutput output{pipe.in.get(), ConsoleOutput::Slow::wait};
    std::atomic<bool> done = false;
    std::thread guest{[&] {
        output.write(bytes_of(std::string(2'000'000, 'x')));
        done = true;
    }};
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    EXPECT_FALSE(done);
    output.stop_waiting();
    guest.join();
    EXPECT_TRUE(done);
}

TEST(ConsoleOutput, ADroppingOneNeverWaits) {
    const Pipe pipe;
    ::fcntl(pipe.in.get(), F_SETFL, O_NONBLOCK);
    ConsoleOutput output{pipe.in.get(), ConsoleOutput::Slow::drop};
    output.write(bytes_of(std::string(2'000'000, 'x')));
}

TEST(ConsoleEndpoint, AFileTakesOutputAndTypesNothing) {
    const std::string path = testing::TempDir() + "/gunyah-console-" + std::to_string(::getpid());
    {
        EventLoop loop;
        Console console{ConsoleEndpoint::open(path), loop, [] {}};
        console.output()(bytes_of("boot\n"));
    }
    std::ifstream file{path};
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>{file}, {}}), "boot\n");
    std::filesystem::remove(path);
    EXPECT_THROW(ConsoleEndpoint::open("/nonexistent/console"), gunyah::Error);
}

// Takes a few bytes at a time, as a UART does.
class SlowPort : public CharacterPort {
public:
    std::size_t receive(std::span<const std::byte> bytes) override {
        const std::size_t count = std::min<std::size_t>(bytes.size(), room);
        taken += text_of(bytes.first(count));
        room -= count;
        taken_bytes += count;
        return count;
    }
    void make_room(std::size_t count) {
        room += count;
        report_room();
    }
    std::atomic<std::size_t> room = 0;
    std::atomic<std::size_t> taken_bytes = 0;
    std::string taken; // the loop's thread only
};

class ConsoleInputTest : public testing::Test {
protected:
    void run_for(std::chrono::milliseconds time) {
        std::thread timer{[&] {
            std::this_thread::sleep_for(time);
            loop.stop();
        }};
        loop.run();
        timer.join();
    }
    ConsoleEndpoint endpoint(int input, bool terminal = false) {
        ConsoleEndpoint result;
        result.input = input;
        result.output = null.get();
        result.is_terminal = terminal;
        return result;
    }
    FileDescriptor null{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    EventLoop loop;
    SlowPort port;
};

TEST_F(ConsoleInputTest, WaitsForTheGuestAndLosesNothing) {
    const Pipe pipe;
    std::string script;
    for (int line = 0; line < 3000; ++line) {
        script += std::to_string(line) + "\n";
    }
    ASSERT_EQ(::write(pipe.in.get(), script.data(), script.size()),
              static_cast<ssize_t>(script.size()));
    Console console{endpoint(pipe.out.get()), loop, [] {}};
    console.connect(port);
    std::thread guest{[&] {
        for (std::size_t given = 0; given < script.size(); given += 32) {
            std::this_thread::sleep_for(std::chrono::microseconds{100});
            port.make_room(32);
        }
    }};
    std::thread watch{[&] {
        for (int tries = 0; tries < 1000 && port.taken_bytes < script.size(); ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
        loop.stop();
    }};
    loop.run();
    guest.join();
    watch.join();
    EXPECT_EQ(port.taken, script);
}

TEST_F(ConsoleInputTest, TheEndOfInputIsHarmless) {
    const FileDescriptor empty{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    bool stopped = false;
    Console console{endpoint(empty.get()), loop, [&] { stopped = true; }};
    console.connect(port);
    run_for(std::chrono::milliseconds{50});
    EXPECT_FALSE(stopped);
}

TEST_F(ConsoleInputTest, APipeHasNoEscapes) {
    const Pipe pipe;
    port.room = 100;
    bool stopped = false;
    Console console{endpoint(pipe.out.get()), loop, [&] { stopped = true; }};
    console.connect(port);
    ASSERT_EQ(::write(pipe.in.get(), "\x01x", 2), 2);
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(port.taken, "\x01x");
    EXPECT_FALSE(stopped);
}

TEST_F(ConsoleInputTest, APtyCarriesBothWaysAndATerminalIsPutBack) {
    auto pty = ConsoleEndpoint::open("pty");
    const FileDescriptor user{::open(pty.pty_name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    ASSERT_TRUE(user);
    port.room = 100;
    Console console{std::move(pty), loop, [] {}};
    console.connect(port);
    console.output()(bytes_of("login:"));
    EXPECT_EQ(read_some(user.get(), 6), "login:");
    ASSERT_EQ(::write(user.get(), "root\r", 5), 5);
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(port.taken, "root\r");
}

TEST_F(ConsoleInputTest, ATerminalIsRawWhileConnectedAndKnowsTheEscape) {
    const auto pty = ConsoleEndpoint::open("pty");
    const FileDescriptor user{::open(pty.pty_name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    termios cooked{};
    ::tcgetattr(user.get(), &cooked);
    cooked.c_lflag |= ICANON | ECHO | ISIG;
    ::tcsetattr(user.get(), TCSANOW, &cooked);
    {
        Console console{endpoint(user.get(), true), loop, [this] { loop.stop(); }};
        console.connect(port);
        termios raw{};
        ::tcgetattr(user.get(), &raw);
        EXPECT_EQ(raw.c_lflag & (ICANON | ECHO | ISIG), 0U);
        // The guest takes nothing (no room), and still the escape works.
        ASSERT_EQ(::write(pty.output, "typed ahead\x01x", 13), 13);
        loop.run();
    }
    termios after{};
    ::tcgetattr(user.get(), &after);
    EXPECT_EQ(after.c_lflag, cooked.c_lflag);
}

TEST(ConsoleChoice, TheLastConsoleArgumentCounts) {
    EXPECT_FALSE(console_is_virtio(""));
    EXPECT_FALSE(console_is_virtio("console=ttyAMA0"));
    EXPECT_TRUE(console_is_virtio("console=hvc0"));
    EXPECT_TRUE(console_is_virtio("quiet console=ttyAMA0  console=hvc0 rw"));
    EXPECT_FALSE(console_is_virtio("console=hvc0 console=ttyAMA0,115200"));
    EXPECT_FALSE(console_is_virtio("netconsole=hvc0"));
}

} // namespace
} // namespace vmm
