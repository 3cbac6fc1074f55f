// SPDX-License-Identifier: BSD-3-Clause
// Trapped accesses to the self-hosted debug registers.
#pragma once

#include "trap/register_access.hpp"

namespace hyp {

class Vcpu;

/// Serves a debug register (op0 = 2) from the vCPU's own copy; false when there is no such one.
bool access_debug_register(Vcpu&, RegisterAccess&);

} // namespace hyp
