// SPDX-License-Identifier: BSD-3-Clause
// The hypervisor's log: whole lines to the UART and to a ring in memory.
#pragma once

#include "heap/names.hpp"
#include "platform/uart.hpp"

#include <runtime/print.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>
#include <string_view>

namespace hyp {

/// Lines of several CPUs do not mix. Any CPU, any time; the lock is a leaf.
class Console {
public:
    static constexpr std::size_t ring_size = 16384;
    static constexpr std::size_t longest_line = 256; // longer ones are cut

    /// From now on lines go to this UART too.
    void attach(const Uart& uart) RT_EXCLUDES(lock_);

    /// One line, without its newline.
    void write_line(std::string_view line) RT_EXCLUDES(lock_);

    /// Bytes of the Resource Manager's own output, in pieces; complete lines are written.
    void write_bytes(std::string_view bytes) RT_EXCLUDES(lock_);

    /// A panicking CPU no longer waits for the lock, which a stopped CPU may hold for ever.
    void enter_panic();

    /// The last characters written, oldest first, copied to `out`; returns the number.
    std::size_t recent(std::span<char> out) RT_EXCLUDES(lock_);

private:
    class Guard;
    void put(char character) RT_REQUIRES(lock_);
    void put_line(std::string_view line) RT_REQUIRES(lock_);

    Spinlock lock_;
    std::atomic<bool> panicking_{false};
    Uart uart_ RT_GUARDED_BY(lock_);
    std::array<char, ring_size> ring_ RT_GUARDED_BY(lock_){};
    std::size_t written_ RT_GUARDED_BY(lock_) = 0; // ever; the ring holds the last ring_size
    std::array<char, longest_line> pending_ RT_GUARDED_BY(lock_){};
    std::size_t pending_size_ RT_GUARDED_BY(lock_) = 0;
};

/// The one console.
Console& console();

/// log(), once for all types of arguments.
void log_sentence(const rt::Sentence& sentence);

/// Prints "[hyp] " and the text as one line: hyp::log("{} CPUs", count);
template <typename... Arguments>
void log(rt::FormatString<std::type_identity_t<Arguments>...> format,
         const Arguments&... arguments) {
    rt::with_sentence(log_sentence, format.text(), arguments...);
}

} // namespace hyp
