// SPDX-License-Identifier: BSD-3-Clause
// ConsoleOutput: a ring, its readers' positions, and the thread that moves them on.
#include "app/console_output.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds poll_time{100};
constexpr std::chrono::seconds closing_time{1};
// A UART hands over one character at a time. Waking up and writing for each costs the guest more
// than the character; a person does not notice this delay.
constexpr std::chrono::milliseconds gathering{4};
// A pipe or terminal that polls writable takes this much without blocking.
constexpr std::size_t chunk_size = PIPE_BUF;

} // namespace

ConsoleOutput::ConsoleOutput(Kind kind, Duration patience) : kind_{kind}, patience_{patience} {}

ConsoleOutput::~ConsoleOutput() {
    {
        const std::scoped_lock lock{mutex_};
        closing_ = true;
    }
    stop_waiting();
    wake_.signal();
    if (thread_.joinable()) {
        thread_.join();
    }
}

void ConsoleOutput::start(std::function<void()> drained, const ThreadStart& thread_start) {
    drained_callback_ = std::move(drained);
    thread_ = std::thread{[this, thread_start] {
        thread_start();
        carry();
    }};
    ::pthread_setname_np(thread_.native_handle(), "console");
}

unsigned ConsoleOutput::add_reader(int fd, Slow slow, bool from_the_start) {
    gunyah::FileDescriptor copy{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    if (!copy) {
        throw gunyah::Error::from_errno(errno, "cannot use the console");
    }
    const std::scoped_lock lock{mutex_};
    const unsigned number = next_number_++;
    readers_.push_back(
        std::make_shared<Reader>(Reader{.number = number,
                                        .fd = std::move(copy),
                                        .slow = slow,
                                        .position = from_the_start ? ring_.begin() : ring_.end(),
                                        .moved = Clock::now()}));
    wake_.signal();
    return number;
}

void ConsoleOutput::remove_reader(unsigned number) {
    const std::scoped_lock lock{mutex_};
    std::erase_if(readers_, [number](const auto& reader) { return reader->number == number; });
    drained_.notify_all();
}

// With the lock held: bytes that nobody who is waited for would miss.
std::size_t ConsoleOutput::room() const {
    std::uint64_t most_late = 0;
    for (const auto& reader : readers_) {
        if (patient_ && reader->slow == Slow::wait && !reader->stuck) {
            most_late = std::max(most_late, ring_.end() - reader->position);
        }
    }
    return OutputRing::capacity - std::min<std::uint64_t>(most_late, OutputRing::capacity);
}

bool ConsoleOutput::has_room() {
    const std::scoped_lock lock{mutex_};
    room_wanted_ = room() < OutputRing::capacity / 2;
    return !room_wanted_;
}

// With the lock held.
void ConsoleOutput::wake() {
    if (std::exchange(idle_, false)) {
        wake_.signal();
    }
}

void ConsoleOutput::write(std::span<const std::byte> bytes) {
    std::unique_lock lock{mutex_};
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(room(), bytes.size()));
        ring_.append(part);
        bytes = bytes.subspan(part.size());
        wake();
        if (!bytes.empty()) {
            drained_.wait(lock, [this] { return room() != 0; });
        }
    }
}

void ConsoleOutput::stop_waiting() {
    const std::scoped_lock lock{mutex_};
    patient_ = false;
    drained_callback_ = {};
    drained_.notify_all();
}

// A turn of the thread: sleep until there is something to hand out, then hand some out.
void ConsoleOutput::carry() {
    std::optional<Clock::time_point> give_up;
    for (;;) {
        const Readers late = late_readers();
        std::vector<pollfd> set{{wake_.fd(), POLLIN, 0}};
        for (const auto& reader : late) {
            set.push_back({reader->fd.get(), POLLOUT, 0});
        }
        {
            const std::scoped_lock lock{mutex_};
            if (closing_ && !give_up) {
                give_up = Clock::now() + closing_time;
            }
        }
        if (give_up && (late.empty() || Clock::now() >= *give_up)) {
            return;
        }
        const int limit = late.empty() ? -1 : static_cast<int>(poll_time.count());
        if (::poll(set.data(), set.size(), limit) < 0) {
            continue;
        }
        if (set.front().revents != 0) {
            wake_.drain();
            if (late.empty() && !give_up) {
                std::this_thread::sleep_for(gathering);
            }
        }
        for (std::size_t index = 0; index < late.size(); ++index) {
            if (set[index + 1].revents != 0) {
                serve(*late[index]);
            }
        }
        finish_round();
    }
}

ConsoleOutput::Readers ConsoleOutput::late_readers() {
    const std::scoped_lock lock{mutex_};
    Readers late;
    for (const auto& reader : readers_) {
        if (reader->position < ring_.end()) {
            late.push_back(reader);
        } else {
            reader->moved = Clock::now();
        }
    }
    idle_ = late.empty();
    return late;
}

void ConsoleOutput::serve(Reader& reader) {
    std::array<std::byte, chunk_size> buffer;
    const Batch batch = next_batch(reader, buffer);
    const ssize_t written = ::write(reader.fd.get(), batch.bytes.data(), batch.bytes.size());
    const int error_number = errno;
    const std::scoped_lock lock{mutex_};
    if (written < 0) {
        reader.broken = error_number != EINTR && error_number != EAGAIN;
        return;
    }
    if (batch.is_notice) {
        reader.missed = 0; // cut short, perhaps: nobody needs all of it
    } else {
        reader.position += static_cast<std::size_t>(written);
    }
    reader.moved = Clock::now();
    reader.stuck = false;
}

ConsoleOutput::Batch ConsoleOutput::next_batch(Reader& reader, std::span<std::byte> buffer) {
    const std::scoped_lock lock{mutex_};
    if (reader.position < ring_.begin()) {
        reader.missed += ring_.begin() - reader.position;
        reader.position = ring_.begin();
    }
    if (reader.missed == 0 || kind_ == Kind::stream) {
        return {.bytes = buffer.first(ring_.copy(reader.position, buffer)), .is_notice = false};
    }
    const std::string notice =
        fmt::format("\r\n[gunyah: {} bytes are missing here]\r\n", reader.missed);
    std::ranges::copy(std::as_bytes(std::span{notice}), buffer.begin());
    return {.bytes = buffer.first(notice.size()), .is_notice = true};
}

void ConsoleOutput::finish_round() {
    {
        const std::scoped_lock lock{mutex_};
        std::erase_if(readers_, [](const auto& reader) { return reader->broken; });
        for (const auto& reader : readers_) {
            reader->stuck = reader->position < ring_.end() &&
                            (reader->stuck || Clock::now() - reader->moved > patience_);
        }
        if (room_wanted_ && room() >= OutputRing::capacity / 2 && drained_callback_) {
            room_wanted_ = false;
            drained_callback_();
        }
    }
    drained_.notify_all();
}

} // namespace vmm
