// SPDX-License-Identifier: BSD-3-Clause
// The pretended CPU number of each host thread.
#include <arch/cpu.hpp>

namespace hyp {

namespace {
thread_local unsigned current_index = 0;
}

unsigned cpu_index() {
    return current_index;
}

namespace fake {
void set_cpu_index(unsigned index) {
    current_index = index;
}
} // namespace fake

} // namespace hyp
