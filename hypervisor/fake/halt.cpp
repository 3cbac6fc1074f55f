// SPDX-License-Identifier: BSD-3-Clause
// On the host a halted CPU ends the test.
#include "platform/halt.hpp"

#include <cstdlib>

namespace hyp {

void halt_this_cpu() {
    std::abort();
}

} // namespace hyp
