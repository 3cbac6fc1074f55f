// SPDX-License-Identifier: BSD-3-Clause
// run_guest(): everything `gunyah run` does after its options are known.
#pragma once

#include "app/outcome.hpp"
#include "app/run_options.hpp"

namespace vmm {

// Blocks until the guest has ended or was stopped. Throws gunyah::Error when it cannot be started;
// nothing of it is left then. Takes SIGINT, SIGTERM and SIGHUP over; call it once per process.
Outcome run_guest(const RunOptions& options);

} // namespace vmm
