// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in for "which CPU am I": a number that each test thread chooses.
#pragma once

namespace hyp {

constexpr unsigned max_cpus = 64;

/// Index of the calling thread's pretended CPU, 0 until set.
unsigned cpu_index();

namespace fake {
void set_cpu_index(unsigned index);
}

} // namespace hyp
