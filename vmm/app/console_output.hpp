// SPDX-License-Identifier: BSD-3-Clause
// ConsoleOutput: carries what a guest prints to all who read it, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "app/output_ring.hpp"
#include "libgunyah/event_fd.hpp"
#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// Keeps the last OutputRing::capacity bytes, whoever reads them. A reader that is slower than the
// guest either makes it wait (Slow::wait: a terminal, a file), or misses what it was too slow for
// (Slow::skip: who attached). A reader that the guest waits for and that takes nothing for
// `patience` misses output too, until it takes something again. A reader that missed something is
// told in its place, unless the output is a stream for programs.
//
// All functions may be called from any thread.
class ConsoleOutput {
public:
    enum class Slow { wait, skip };
    enum class Kind { text, stream };
    using Duration = std::chrono::milliseconds;
    using ThreadStart = std::function<void()>; // what the thread does first

    explicit ConsoleOutput(Kind kind, Duration patience = std::chrono::seconds{5});
    ConsoleOutput(const ConsoleOutput&) = delete;
    ConsoleOutput& operator=(const ConsoleOutput&) = delete;
    // Hands out what is there, but gives up after about a second if nothing moves.
    ~ConsoleOutput();

    // Begins to hand out. `drained` is called, with the lock held, when has_room() has become true
    // again, until stop_waiting(). Once.
    void start(std::function<void()> drained, const ThreadStart& thread_start);
    void write(std::span<const std::byte> bytes);
    // Whether write() takes half of the capacity at once without waiting.
    [[nodiscard]] bool has_room();
    // From now on write() never waits: the guest is being stopped.
    void stop_waiting();

    // Makes `fd`, of which it keeps a copy, a reader: of all that is kept, or of what comes from
    // now on. Returns a number for remove_reader(). Throws gunyah::Error.
    unsigned add_reader(int fd, Slow slow, bool from_the_start);
    void remove_reader(unsigned number);

private:
    struct Reader {
        unsigned number;
        gunyah::FileDescriptor fd;
        Slow slow;
        std::uint64_t position; // of the next byte it gets
        std::uint64_t missed = 0;
        std::chrono::steady_clock::time_point moved; // it took something, or had all there was
        bool stuck = false;                          // nobody waits for it any more
        bool broken = false;
    };
    using Readers = std::vector<std::shared_ptr<Reader>>;
    // What is written to a reader at once.
    struct Batch {
        std::span<const std::byte> bytes;
        bool is_notice; // that something is missing
    };

    [[nodiscard]] std::size_t room() const;
    void wake();
    void carry(); // the thread
    [[nodiscard]] Readers late_readers();
    // One write to a reader whose descriptor is ready.
    void serve(Reader& reader);
    Batch next_batch(Reader& reader, std::span<std::byte> buffer);
    void finish_round();

    const Kind kind_;
    const Duration patience_;
    gunyah::EventFd wake_;
    std::mutex mutex_; // guards what follows, except the thread
    std::condition_variable drained_;
    std::function<void()> drained_callback_;
    OutputRing ring_;
    Readers readers_;
    unsigned next_number_ = 0;
    bool patient_ = true; // write() may wait
    bool idle_ = true;    // the thread needs a wake-up to see new bytes
    bool room_wanted_ = false;
    bool closing_ = false;
    std::thread thread_;
};

} // namespace vmm
