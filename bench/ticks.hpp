// SPDX-License-Identifier: BSD-3-Clause
// Counts what a loop of operations takes.
#pragma once

#include "machine/clock.hpp"

#include <cstdint>

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

} // namespace bench
