// SPDX-License-Identifier: BSD-3-Clause
// One lock around the UART and the ring; a panic goes past it.
#include "platform/console.hpp"

#include <algorithm>
#include <atomic>

namespace hyp {

/// Takes the lock unless a CPU panics: then characters may mix, but nothing can hang.
class RT_SCOPED_CAPABILITY Console::Guard {
public:
    explicit Guard(Console& console) RT_ACQUIRE(console.lock_) RT_NO_ANALYSIS
        : console_(console),
          locked_(!console.panicking_.load(std::memory_order_acquire)) {
        if (locked_) {
            console_.lock_.lock();
        }
    }
    ~Guard() RT_RELEASE() RT_NO_ANALYSIS {
        if (locked_) {
            console_.lock_.unlock();
        }
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

private:
    Console& console_;
    const bool locked_;
};

void Console::attach(const Uart& uart) {
    const Guard guard(*this);
    uart_ = uart;
}

void Console::write_line(std::string_view line) {
    const Guard guard(*this);
    put_line(line);
}

void Console::write_bytes(std::string_view bytes) {
    const Guard guard(*this);
    for (const char c : bytes) {
        if (c != '\n') {
            pending_[pending_size_++] = c;
        }
        if (c == '\n' || pending_size_ == pending_.size()) {
            put_line({pending_.data(), pending_size_});
            pending_size_ = 0;
        }
    }
}

void Console::enter_panic() {
    panicking_.store(true, std::memory_order_release);
}

std::size_t Console::recent(std::span<char> out) {
    const Guard guard(*this);
    const std::size_t count = std::min({written_, ring_size, out.size()});
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = ring_[(written_ - count + i) % ring_size];
    }
    return count;
}

void Console::put(char character) {
    ring_[written_++ % ring_size] = character;
    uart_.put(character);
}

void Console::put_line(std::string_view line) {
    for (const char c : line) {
        put(c);
    }
    put('\r');
    put('\n');
}

Console& console() {
    static constinit Console instance;
    return instance;
}

void log_sentence(const rt::Sentence& sentence) {
    std::array<char, Console::longest_line> line; // NOLINT: written before it is read
    rt::BufferSink sink(line);
    sink.write("[hyp] ");
    rt::print(sink, sentence);
    console().write_line(sink.text());
}

} // namespace hyp
