// SPDX-License-Identifier: BSD-3-Clause
// Calls to firmware at EL3 by SMC (Arm DEN0028, SMC Calling Convention).
#pragma once

#include <cstdint>

namespace hyp::arch {

struct FirmwareResult {
    std::uint64_t x0, x1, x2, x3;
};

/// Calls firmware. The conduit is always SMC: HVC from EL2 would come back to ourselves.
/// SMCCC 1.0 lets the callee clobber x4-x17, which is assumed.
FirmwareResult firmware_call(std::uint32_t function, std::uint64_t x1 = 0, std::uint64_t x2 = 0,
                             std::uint64_t x3 = 0);

} // namespace hyp::arch
