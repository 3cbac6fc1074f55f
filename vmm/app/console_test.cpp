// SPDX-License-Identifier: BSD-3-Clause
// Tests of the console's host side: escapes, endpoints, output batching, input back-pressure.
#include "app/console.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "app/guest_devices.hpp"
#include "libgunyah/error.hpp"
#include "vsock/unix_socket.hpp"

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

TEST(OutputRing, KeepsTheLastBytes) {
    OutputRing ring;
    EXPECT_EQ(ring.begin(), 0U);
    ring.append(bytes_of("abc"));
    std::array<std::byte, 8> out;
    EXPECT_EQ(text_of(std::span{out}.first(ring.copy(1, out))), "bc");
    ring.append(bytes_of(std::string(OutputRing::capacity - 1, 'x') + "end"));
    EXPECT_EQ(ring.end(), OutputRing::capacity + 5);
    EXPECT_EQ(ring.begin(), 5U);
    EXPECT_EQ(text_of(std::span{out}.first(ring.copy(ring.end() - 5, out))), "xxend");
    ring.append(bytes_of(std::string(3 * OutputRing::capacity, 'y')));
    EXPECT_EQ(ring.end() - ring.begin(), OutputRing::capacity);
    EXPECT_EQ(ring.copy(ring.begin(), out), out.size());
    EXPECT_EQ(text_of(out), "yyyyyyyy");
}

// An output with one reader, started.
struct StartedOutput {
    explicit StartedOutput(int fd, ConsoleOutput::Slow slow,
                           ConsoleOutput::Duration patience = std::chrono::seconds{60})
        : output{ConsoleOutput::Kind::text, patience} {
        output.add_reader(fd, slow, true);
        output.start([this] { ++drained; }, [] {});
    }
    std::atomic<unsigned> drained = 0;
    ConsoleOutput output;
};

TEST(ConsoleOutput, DeliversEverythingInOrder) {
    const Pipe pipe;
    {
        StartedOutput started{pipe.in.get(), ConsoleOutput::Slow::wait};
        for (int line = 0; line < 100; ++line) {
            started.output.write(bytes_of(std::to_string(line) + "\n"));
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
    StartedOutput started{pipe.in.get(), ConsoleOutput::Slow::wait};
    for (int round = 0; round < 100; ++round) {
        started.output.write(bytes_of(std::string(10'000, 'x')));
    }
}

TEST(ConsoleOutput, AStuckReaderHoldsTheGuestUpOnlyUntilItIsStopped) {
    const Pipe pipe;
    StartedOutput started{pipe.in.get(), ConsoleOutput::Slow::wait};
    std::atomic<bool> done = false;
    std::thread guest{[&] {
        started.output.write(bytes_of(std::string(2'000'000, 'x')));
        done = true;
    }};
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    EXPECT_FALSE(done);
    EXPECT_FALSE(started.output.has_room());
    started.output.stop_waiting();
    guest.join();
    EXPECT_TRUE(done);
}

TEST(ConsoleOutput, AStuckReaderIsNotWaitedForForEverAndLearnsWhatItMissed) {
    const Pipe pipe;
    std::string said;
    {
        StartedOutput started{pipe.in.get(), ConsoleOutput::Slow::wait,
                              std::chrono::milliseconds{100}};
        started.output.write(bytes_of(std::string(2'000'000, 'x'))); // returns
        std::thread reader{[&] {
            while (!said.ends_with("end")) {
                said += read_some(pipe.out.get(), 1);
            }
        }};
        started.output.write(bytes_of("end"));
        reader.join();
    }
    const std::size_t notice = said.find("[gunyah: ");
    ASSERT_NE(notice, std::string::npos);
    const auto missed = std::stoul(said.substr(notice + 9));
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(said, 'x')) + missed, 2'000'000U);
    EXPECT_LE(said.size(), 2 * OutputRing::capacity);
}

TEST(ConsoleOutput, TellsWhenThereIsRoomAgain) {
    const Pipe pipe;
    StartedOutput started{pipe.in.get(), ConsoleOutput::Slow::wait};
    const std::string much(OutputRing::capacity, 'x'); // a pipe holds half of it
    started.output.write(bytes_of(much));
    for (int tries = 0; tries < 1000 && started.output.has_room(); ++tries) {
        started.output.write(bytes_of("x"));
    }
    EXPECT_FALSE(started.output.has_room());
    EXPECT_EQ(started.drained, 0U);
    read_some(pipe.out.get(), OutputRing::capacity);
    for (int tries = 0; tries < 1000 && started.drained == 0; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    EXPECT_EQ(started.drained, 1U);
    EXPECT_TRUE(started.output.has_room());
}

TEST(ConsoleOutput, OneWhoSkipsIsNotWaitedForAndGetsWhatIsKept) {
    const Pipe pipe;
    ::fcntl(pipe.in.get(), F_SETFL, O_NONBLOCK);
    StartedOutput started{pipe.in.get(), ConsoleOutput::Slow::skip};
    started.output.write(bytes_of(std::string(2'000'000, 'x')));
    const Pipe late;
    started.output.write(bytes_of("end"));
    started.output.add_reader(late.in.get(), ConsoleOutput::Slow::skip, true);
    const std::string kept = read_some(late.out.get(), OutputRing::capacity);
    EXPECT_TRUE(kept.ends_with("xend"));
    const Pipe later;
    started.output.add_reader(later.in.get(), ConsoleOutput::Slow::skip, false);
    started.output.write(bytes_of("news"));
    EXPECT_EQ(read_some(later.out.get(), 4), "news");
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

ConsoleGuest guest_of(CharacterPort& port) {
    return {.port = port, .resize = [](ConsoleSize) {}, .open = [](bool) {}, .drained = [] {}};
}

ConsoleEndpoint open_at(std::string_view kind, const std::string& value,
                        const std::string& name = "") {
    ConsoleOption option;
    option.name = name;
    (kind == "to" ? option.to : kind == "file" ? option.file : option.socket) = value;
    return ConsoleEndpoint::open(option);
}

TEST(ConsoleEndpoint, AFileTakesOutputAndTypesNothing) {
    const std::string path = testing::TempDir() + "/gunyah-console-" + std::to_string(::getpid());
    {
        EventLoop loop;
        Console console{open_at("file", path), loop, [] {}};
        console.output()(bytes_of("boot\n"));
        SlowPort port;
        console.connect(guest_of(port), [] {});
    }
    std::ifstream file{path};
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>{file}, {}}), "boot\n");
    std::filesystem::remove(path);
    EXPECT_THROW(open_at("to", "/nonexistent/console"), gunyah::Error);
}

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
    console.connect(guest_of(port), [] {});
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
    console.connect(guest_of(port), [] {});
    run_for(std::chrono::milliseconds{50});
    EXPECT_FALSE(stopped);
}

TEST_F(ConsoleInputTest, APipeHasNoEscapes) {
    const Pipe pipe;
    port.room = 100;
    bool stopped = false;
    Console console{endpoint(pipe.out.get()), loop, [&] { stopped = true; }};
    console.connect(guest_of(port), [] {});
    ASSERT_EQ(::write(pipe.in.get(), "\x01x", 2), 2);
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(port.taken, "\x01x");
    EXPECT_FALSE(stopped);
}

TEST_F(ConsoleInputTest, APtyCarriesBothWaysAndATerminalIsPutBack) {
    auto pty = open_at("to", "pty");
    const FileDescriptor user{::open(pty.place.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    ASSERT_TRUE(user);
    port.room = 100;
    Console console{std::move(pty), loop, [] {}};
    console.connect(guest_of(port), [] {});
    console.output()(bytes_of("login:"));
    EXPECT_EQ(read_some(user.get(), 6), "login:");
    ASSERT_EQ(::write(user.get(), "root\r", 5), 5);
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(port.taken, "root\r");
}

TEST_F(ConsoleInputTest, ATerminalIsRawWhileConnectedAndKnowsTheEscape) {
    const auto pty = open_at("to", "pty");
    const FileDescriptor user{::open(pty.place.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    termios cooked{};
    ::tcgetattr(user.get(), &cooked);
    cooked.c_lflag |= ICANON | ECHO | ISIG;
    ::tcsetattr(user.get(), TCSANOW, &cooked);
    {
        Console console{endpoint(user.get(), true), loop, [this] { loop.stop(); }};
        console.connect(guest_of(port), [] {});
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

// A connected pair: the console's end does not block.
struct SocketPair {
    SocketPair() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
        user = FileDescriptor{ends[0]};
        console = FileDescriptor{ends[1]};
    }
    FileDescriptor user;
    FileDescriptor console;
};

TEST_F(ConsoleInputTest, SeveralAttachAndLeaveAndSeeWhatWasPrintedBefore) {
    port.room = 100;
    Console console{open_at("to", "none"), loop, [] {}};
    console.connect(guest_of(port), [] {});
    console.output()(bytes_of("boot\n"));
    SocketPair first;
    SocketPair second;
    console.attach(std::move(first.console), "typed before ");
    EXPECT_EQ(read_some(first.user.get(), 5), "boot\n");
    console.attach(std::move(second.console), "");
    EXPECT_EQ(read_some(second.user.get(), 5), "boot\n");
    ASSERT_EQ(::send(first.user.get(), "one", 3, 0), 3);
    first.user = {};
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(port.taken, "typed before one");
    console.output()(bytes_of("more\n"));
    EXPECT_EQ(read_some(second.user.get(), 5), "more\n");
}

TEST_F(ConsoleInputTest, AStreamIsOpenWhileSomebodyIsThereAndTellsNoOldStories) {
    port.room = 100;
    std::vector<bool> open;
    ConsoleGuest guest = guest_of(port);
    guest.open = [&](bool now) { open.push_back(now); };
    Console console{open_at("to", "none", "org.agent"), loop, [] {}};
    console.connect(std::move(guest), [] {});
    console.output()(bytes_of("old"));
    {
        SocketPair first;
        console.attach(std::move(first.console), "");
        console.output()(bytes_of("new"));
        EXPECT_EQ(read_some(first.user.get(), 3), "new");
    }
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(open, (std::vector<bool>{false, true, false}));
}

TEST_F(ConsoleInputTest, ASocketTakesConnectionsAndGivesWayToNobody) {
    const std::string path = testing::TempDir() + "/gunyah-socket-" + std::to_string(::getpid());
    port.room = 100;
    Console console{open_at("socket", path), loop, [] {}};
    console.connect(guest_of(port), [] {});
    EXPECT_THROW(open_at("socket", path), gunyah::Error);
    const FileDescriptor user = connect_unix(path, true);
    ASSERT_TRUE(user);
    ASSERT_EQ(::send(user.get(), "hello", 5, 0), 5);
    run_for(std::chrono::milliseconds{50});
    EXPECT_EQ(port.taken, "hello");
    std::filesystem::remove(path);
    std::ofstream{path} << "precious";
    EXPECT_THROW(open_at("socket", path), gunyah::Error);
    std::filesystem::remove(path);
}

TEST_F(ConsoleInputTest, ATerminalsSizeIsPassedOn) {
    const auto pty = open_at("to", "pty");
    const FileDescriptor user{::open(pty.place.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    const winsize window{.ws_row = 50, .ws_col = 132, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(::ioctl(user.get(), TIOCSWINSZ, &window), 0);
    std::vector<ConsoleSize> sizes;
    ConsoleGuest guest = guest_of(port);
    guest.resize = [&](ConsoleSize size) { sizes.push_back(size); };
    ConsoleEndpoint terminal;
    terminal.output = user.get();
    Console console{std::move(terminal), loop, [] {}};
    console.connect(std::move(guest), [] {});
    console.look_at_size(); // no news
    const winsize smaller{.ws_row = 10, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0};
    ASSERT_EQ(::ioctl(user.get(), TIOCSWINSZ, &smaller), 0);
    console.look_at_size();
    EXPECT_EQ(sizes, (std::vector<ConsoleSize>{{.columns = 132, .rows = 50},
                                               {.columns = 40, .rows = 10}}));
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
