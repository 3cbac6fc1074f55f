// SPDX-License-Identifier: BSD-3-Clause
// ConsoleOutput: carries what guests print to a descriptor, in batches, on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace vmm {

// write() may be called from any thread. The guest waits only when the buffer is full, and not at
// all with Slow::drop (a pseudo-terminal that nobody reads).
class ConsoleOutput {
public:
    enum class Slow { wait, drop };

    // `fd` must stay open while the object lives.
    ConsoleOutput(int fd, Slow slow);
    ConsoleOutput(const ConsoleOutput&) = delete;
    ConsoleOutput& operator=(const ConsoleOutput&) = delete;
    // Writes out what is there, but gives up after about a second if nothing moves.
    ~ConsoleOutput();

    void write(std::span<const std::byte> bytes);
    // From now on write() never waits: the guest is being stopped.
    void stop_waiting();

private:
    static constexpr std::size_t capacity = std::size_t{1} << 18;

    void carry(); // the thread
    // Writes `bytes` out; false when the descriptor takes no more.
    [[nodiscard]] bool write_out(std::span<const std::byte> bytes);
    [[nodiscard]] bool wait_writable();
    [[nodiscard]] bool is_closing();

    const int fd_;
    const Slow slow_;
    std::mutex mutex_; // guards what follows, except the thread
    std::condition_variable filled_;
    std::condition_variable drained_;
    std::vector<std::byte> buffer_;
    bool patient_ = true; // write() may wait
    bool closing_ = false;
    bool broken_ = false; // the descriptor failed: output is dropped
    std::thread thread_;
};

} // namespace vmm
