// SPDX-License-Identifier: BSD-3-Clause
// The general-purpose registers of a vCPU, as the exit path in assembly stores them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hyp {

// Aligned, because it is what SP_EL2 points to while the vCPU runs.
struct alignas(16) GuestRegisters {
    std::uint64_t x[31];
    std::uint64_t pc;     // ELR_EL2
    std::uint64_t pstate; // SPSR_EL2
};

// arm64/guest_exit.S knows these offsets.
static_assert(offsetof(GuestRegisters, pc) == 248);
static_assert(offsetof(GuestRegisters, pstate) == 256);
static_assert(sizeof(GuestRegisters) == 272);

} // namespace hyp
