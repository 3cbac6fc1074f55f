// SPDX-License-Identifier: BSD-3-Clause
// Makes the first VM, the Resource Manager, with everything it needs to make the others.
#pragma once

#include "boot/machine.hpp"

namespace hyp {

/// Once, on the boot CPU, when all CPUs are up. Panics if anything is missing: without it there is
/// nothing to run.
void start_root_vm(const Machine& machine);

} // namespace hyp
