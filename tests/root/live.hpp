// SPDX-License-Identifier: BSD-3-Clause
// A VM whose vCPU is scheduled by itself while this program, of higher priority, runs on CPU 0:
// what it does while this program spins, it does on another CPU; on CPU 0 it gets only what is
// yielded.
#pragma once

#include "guest.hpp"

namespace root {

class Live : public Guest {
public:
    static constexpr std::uint64_t go = base + 0xe00, done = base + 0xe40, counter = base + 0xe80;

    /// Not started yet.
    explicit Live(std::uint64_t cpu);
    /// Starts it to wait for lists.
    void wait_for_lists();
    /// It does what is on the list, on the CPU where it is; results are in command(0) on.
    template <std::size_t N>
    void perform(const Command (&list)[N]) {
        begin(list);
        finish();
    }
    template <std::size_t N>
    void begin(const Command (&list)[N]) {
        static_assert(N <= most);
        begin(list, N);
    }
    void finish();
    /// On one CPU, or GH_CPU_INDEX_ANY.
    void move(std::uint64_t cpu);
    [[nodiscard]] const volatile Command& command(std::size_t index) const {
        return commands[index + 1];
    }
    /// Starts it to count for ever.
    void count();
    [[nodiscard]] std::uint64_t counted() const;
    /// It gets one turn of this CPU.
    void yield_to() const;

private:
    static constexpr std::size_t most = (0x800 - commands_offset) / sizeof(Command) - 3;
    void begin(const Command* list, std::size_t count);
    [[nodiscard]] volatile std::uint64_t& word(std::uint64_t address) const {
        return *reinterpret_cast<volatile std::uint64_t*>(view + (address - base));
    }
    std::uint64_t cpu_;
};

void spin_ms(std::uint64_t ms);

} // namespace root
