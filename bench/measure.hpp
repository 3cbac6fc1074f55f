// SPDX-License-Identifier: BSD-3-Clause
// Counts the instructions of an operation: a loop around it minus the same loop around nothing.
#pragma once

#include "check/check.hpp"
#include "machine/clock.hpp"
#include "machine/uart.hpp"

#include <cstdint>
#include <string_view>

namespace bench {

inline constexpr std::uint64_t rounds = 10'000;

/// Counter ticks of a loop of `count` rounds. Never inlined, so that every loop is made alike.
template <typename Operation>
[[gnu::noinline]] std::uint64_t ticks_of(std::uint64_t count, Operation operation) {
    const std::uint64_t begin = test::now();
    for (std::uint64_t left = count; left != 0; --left) {
        operation();
        asm volatile("" : "+r"(left) : : "memory");
    }
    return test::now() - begin;
}

/// Prints the row `name`: the instructions of `count` operations. Fails when the counter does not
/// count instructions (QEMU's -icount with cntfrq=1000000000).
template <typename Operation>
void row(std::string_view name, Operation operation, std::uint64_t count = rounds) {
    constexpr std::uint64_t one_per_instruction = 1'000'000'000;
    test::expect(READ_SYSREG(cntfrq_el0) == one_per_instruction, "a tick is an instruction");
    operation(); // what only the first one costs
    const std::uint64_t empty = ticks_of(count, [] {});
    const std::uint64_t full = ticks_of(count, operation);
    rt::print(test::uart(), "row {} {} {}\n", name, full - empty, count);
}

} // namespace bench
