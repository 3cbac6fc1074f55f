// SPDX-License-Identifier: BSD-3-Clause
// Exceptions that EL2 makes a guest's EL1 take, as the hardware would have.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// The instruction at the guest's pc is undefined there. For the loaded vCPU only, as all below.
void inject_undefined(Vcpu&);
/// EL1 takes a synchronous exception with this ESR_EL1.
void inject_exception(Vcpu&, std::uint64_t esr);
/// An abort on the access (or instruction fetch) that `esr` describes, at virtual address `far`,
/// for the reason `status`: esr::fsc_external or fsc_alignment.
void inject_abort(Vcpu&, std::uint64_t esr, std::uint64_t far, std::uint64_t status);

} // namespace hyp
