// SPDX-License-Identifier: BSD-3-Clause
// Prints the instructions of an operation: a loop around it minus the same loop around nothing.
#pragma once

#include "ticks.hpp"

#include "check/check.hpp"
#include "machine/uart.hpp"

#include <cstdint>
#include <string_view>

namespace bench {

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
