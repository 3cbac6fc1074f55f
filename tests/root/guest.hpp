// SPDX-License-Identifier: BSD-3-Clause
// A small VM of one vCPU that executes a list of commands.
#pragma once

#include "world.hpp"

namespace root {

struct Command {
    std::uint64_t what, a, b, c;
};
constexpr Command store_command(std::uint64_t address, std::uint32_t value) {
    return {1, address, value, 0};
}
constexpr Command load_command(std::uint64_t address) {
    return {2, address, 0, 0};
}
constexpr Command smc_command(std::uint64_t x0, std::uint64_t x1 = 0, std::uint64_t x2 = 0) {
    return {3, x0, x1, x2};
}
constexpr Command end_command{4, 0, 0, 0};
constexpr Command loop_command{5, 0, 0, 0};
/// The result stands in `c`.
constexpr Command instruction_command(std::uint32_t code, std::uint64_t x0 = 0) {
    return {6, code, x0, 0};
}
constexpr Command await_command(std::uint64_t address) {
    return {7, address, 0, 0};
}
constexpr Command go_on_command(std::uint64_t address) {
    return {8, address, 0, 0};
}
constexpr Command count_command(std::uint64_t address) {
    return {9, address, 0, 0};
}

enum class Schedule { proxied, by_itself };

/// Capabilities of the VM. `prepare` may attach more before the vCPU is activated by start().
struct Guest {
    std::uint64_t space, vic, vcpu, group, memory;
    std::byte* view; // of its memory
    volatile Command* commands;

    static constexpr std::uint64_t base = 0x10000;
    static constexpr std::uint64_t commands_offset = 0x400; // up to 0x800

    /// With an address space made before, if any.
    explicit Guest(std::uint64_t address_space = 0, Schedule schedule = Schedule::proxied);
    /// Maps a one-page extent at `ipa`.
    void map(std::uint64_t extent, std::uint64_t ipa, std::uint64_t access) const;
    void start();
    /// Makes what we wrote to its memory visible to it, and the other way round.
    void synchronise() const;
    /// vcpu_run until it says something else than READY; the state.
    Registers run() const;
    /// The commands, from the first on, then run().
    template <std::size_t N>
    Registers execute(const Command (&list)[N]) {
        for (std::size_t i = 0; i < N; ++i) {
            commands[i].what = list[i].what;
            commands[i].a = list[i].a;
            commands[i].b = list[i].b;
            commands[i].c = list[i].c;
        }
        start();
        return run();
    }
};

} // namespace root
