// SPDX-License-Identifier: BSD-3-Clause
// The pretended CPU number of each host thread.
#include <arch/cpu.hpp>
#include <arch/work.hpp>

#include <array>

namespace hyp {

namespace {
thread_local unsigned current_index = 0;
}

unsigned cpu_index() {
    return current_index;
}

namespace arch {

namespace {
std::array<std::uint64_t, max_cpus> work{}; // each entry only touched by its CPU
}

void note_work(std::uint64_t bits) {
    work[cpu_index()] |= bits;
}
std::uint64_t work_left() {
    return work[cpu_index()];
}
void forget_work(std::uint64_t bits) {
    work[cpu_index()] &= ~bits;
}

} // namespace arch

namespace fake {
void set_cpu_index(unsigned index) {
    current_index = index;
}
} // namespace fake

} // namespace hyp
