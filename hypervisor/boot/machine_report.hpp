// SPDX-License-Identifier: BSD-3-Clause
// Says on the console what was found.
#pragma once

#include "boot/machine.hpp"

namespace hyp {

void report_machine(const Machine& machine);

} // namespace hyp
