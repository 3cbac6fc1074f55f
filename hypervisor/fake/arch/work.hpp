// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for the word of work of the calling thread's pretended CPU.
#pragma once

#include <cstdint>

namespace hyp::arch {

inline constexpr std::uint64_t work_schedule = 1;
inline constexpr std::uint64_t work_interrupts = 2;
inline constexpr std::uint64_t work_whole_exit = 4;
/// A vCPU begins or ends its run inside another's vcpu_run. Alone, it needs no decision.
inline constexpr std::uint64_t work_hand_over = 8;

void note_work(std::uint64_t bits);
std::uint64_t work_left();
void forget_work(std::uint64_t bits = ~std::uint64_t{0});

} // namespace hyp::arch
