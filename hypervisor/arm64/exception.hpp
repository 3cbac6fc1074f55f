// SPDX-License-Identifier: BSD-3-Clause
// What an exception in the hypervisor itself leaves behind, and names for what ESR_EL2 says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hyp::arch {

/// Registers at the moment of an exception from EL2, as vectors.S stores them.
struct El2Frame {
    std::uint64_t x[31];
    std::uint64_t sp, elr, spsr, esr, far;
};
static_assert(offsetof(El2Frame, sp) == 248);
static_assert(offsetof(El2Frame, elr) == 256);
static_assert(offsetof(El2Frame, far) == 280);
static_assert(sizeof(El2Frame) == 288);

/// ESR_ELx.EC in words (Arm ARM D19.2.37).
std::string_view exception_class_name(std::uint64_t esr);

/// Fault status of an instruction or data abort in words (DFSC/IFSC).
std::string_view fault_status_name(std::uint64_t esr);

/// True for the abort classes, whose ESR has a fault status and whose FAR is an address.
bool is_abort(std::uint64_t esr);

} // namespace hyp::arch
