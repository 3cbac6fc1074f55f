// SPDX-License-Identifier: BSD-3-Clause
// What exits share that are served with only some of the vCPU's registers in memory
// (arm64/guest_exit.S): those that is_at_hand() names. PC and PSTATE are not.
#pragma once

#include <arch/work.hpp>

#include <cstdint>

namespace hyp {

/// Xn; 31 is the zero register.
constexpr bool is_at_hand(unsigned n) {
    return (0xe003ffffU >> n & 1) != 0;
}

/// What such a function returns: how far the vCPU's PC goes on.
inline constexpr std::uint64_t instruction_done = 4;

/// The vCPU waits for what its VMM does about it.
inline constexpr std::uint64_t instruction_waits = 0;

/// Nothing is done: once all registers are in memory, the exit is served again.
inline std::uint64_t leave_for_whole_exit() {
    arch::note_work(arch::work_whole_exit);
    return 0;
}

} // namespace hyp
