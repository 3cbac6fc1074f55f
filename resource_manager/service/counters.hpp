// SPDX-License-Identifier: BSD-3-Clause
// GET_COUNTERS: what exists, so that a test can see that nothing is left behind.
#pragma once

#include "calls/capability.hpp"
#include "rpc/wire.hpp"

namespace rm {

/// Writes RM's counters and then the hypervisor's, layout in abi/rm_rpc.h. A counter that the
/// hypervisor does not have is left out.
void write_counters(const Root& root, std::uint64_t vms, std::uint64_t parcels, Writer& reply);

} // namespace rm
