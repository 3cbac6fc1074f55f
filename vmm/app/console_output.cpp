// SPDX-License-Identifier: BSD-3-Clause
// ConsoleOutput: a bounded buffer and the thread that empties it.
#include "app/console_output.hpp"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

namespace vmm {
namespace {

constexpr int poll_milliseconds = 100;
constexpr int closing_polls = 10;
// A UART hands over one character at a time. Waking up and writing for each costs the guest more
// than the character; a person does not notice this delay.
constexpr std::chrono::milliseconds gathering{4};

} // namespace

ConsoleOutput::ConsoleOutput(int fd, Slow slow)
    : fd_{fd}, slow_{slow}, thread_{[this] { carry(); }} {}

ConsoleOutput::~ConsoleOutput() {
    {
        const std::scoped_lock lock{mutex_};
        closing_ = true;
        patient_ = false;
    }
    filled_.notify_all();
    drained_.notify_all();
    thread_.join();
}

void ConsoleOutput::write(std::span<const std::byte> bytes) {
    std::unique_lock lock{mutex_};
    while (!bytes.empty() && !broken_) {
        const std::size_t room = capacity - std::min(capacity, buffer_.size());
        const auto part = bytes.first(std::min(room, bytes.size()));
        buffer_.insert(buffer_.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
        filled_.notify_one();
        if (bytes.empty() || !patient_ || slow_ == Slow::drop) {
            return;
        }
        drained_.wait(lock, [this] { return buffer_.size() < capacity || !patient_ || broken_; });
    }
}

void ConsoleOutput::stop_waiting() {
    const std::scoped_lock lock{mutex_};
    patient_ = false;
    drained_.notify_all();
}

void ConsoleOutput::carry() {
    std::vector<std::byte> batch;
    std::unique_lock lock{mutex_};
    for (;;) {
        filled_.wait(lock, [this] { return !buffer_.empty() || closing_; });
        if (buffer_.empty()) {
            return;
        }
        if (!closing_) {
            lock.unlock();
            std::this_thread::sleep_for(gathering);
            lock.lock();
        }
        batch.clear();
        std::swap(batch, buffer_);
        drained_.notify_all();
        lock.unlock();
        const bool written = write_out(batch);
        lock.lock();
        if (!written) {
            broken_ = true;
            buffer_.clear();
            drained_.notify_all();
            filled_.wait(lock, [this] { return closing_; });
            return;
        }
    }
}

bool ConsoleOutput::write_out(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        if (!wait_writable()) {
            return false;
        }
        // A pipe that polls writable takes PIPE_BUF bytes without blocking.
        const std::size_t chunk = std::min<std::size_t>(bytes.size(), PIPE_BUF);
        const ssize_t count = ::write(fd_, bytes.data(), chunk);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
            if (errno == EAGAIN && slow_ == Slow::drop) {
                return true;
            }
            continue;
        }
        if (count < 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return true;
}

bool ConsoleOutput::wait_writable() {
    for (int polls_while_closing = 0; polls_while_closing < closing_polls;) {
        pollfd state{fd_, POLLOUT, 0};
        const int ready = ::poll(&state, 1, slow_ == Slow::drop ? 0 : poll_milliseconds);
        if (ready > 0 || slow_ == Slow::drop) {
            return true; // an error state too: write() then says what it is
        }
        polls_while_closing += is_closing() ? 1 : 0;
    }
    return false;
}

bool ConsoleOutput::is_closing() {
    const std::scoped_lock lock{mutex_};
    return closing_;
}

} // namespace vmm
