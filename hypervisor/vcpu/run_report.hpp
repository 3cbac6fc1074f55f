// SPDX-License-Identifier: BSD-3-Clause
// What vcpu_run and vcpu_run_check tell about a vCPU, and the MMIO access behind two of the states.
#pragma once

#include "vcpu/registers.hpp"

#include <abi/hypercall.h>

#include <array>
#include <cstdint>

namespace hyp {

/// State and state-specific data 1 to 3 (public API document, "Run a Proxy-Scheduled VCPU thread").
struct RunReport {
    std::uint64_t state = GH_VCPU_STATE_READY;
    std::array<std::uint64_t, 3> data{};
};
inline constexpr RunReport terminated_report{GH_VCPU_STATE_POWERED_OFF,
                                             {GH_VCPU_POWEROFF_TERMINATED}};

/// A load or store with a valid syndrome (ESR_EL2.ISS.ISV, Arm ARM D19.2.40).
struct MmioRequest {
    std::uint64_t ipa;
    std::uint64_t value; // of a write, truncated to size
    std::uint8_t size;   // 1, 2, 4 or 8 bytes
    std::uint8_t target; // register of a read: 0..30, 31 = zero register
    bool write;
    bool sign_extend;
    bool wide; // the target register is 64 bits wide
};

/// Puts the value of a finished read into its register; nothing for a write.
void complete_mmio_read(GuestRegisters&, const MmioRequest&, std::uint64_t value);

} // namespace hyp
