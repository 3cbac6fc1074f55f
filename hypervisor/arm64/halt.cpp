// SPDX-License-Identifier: BSD-3-Clause
// The end of a CPU's work.
#include "platform/halt.hpp"

namespace hyp {

void halt_this_cpu() {
    for (;;) {
        asm volatile("wfi");
    }
}

} // namespace hyp
