// SPDX-License-Identifier: BSD-3-Clause
// From a hypercall's number to its handler, in both call forms.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// Fills the dispatch table from the families' tables; once, before any VM runs. Panics when two
/// handlers claim one number.
void init_hypercalls();

/// `hvc #immediate`, immediate in GH_HVC_IMM_BASE..GH_HVC_IMM_LAST: arguments from x0.
void hypercall_by_immediate(Vcpu& caller, std::uint16_t immediate);

/// `hvc #0` with x0 in GH_SMCCC_BASE..GH_SMCCC_LAST: arguments from x1.
void hypercall_by_smccc(Vcpu& caller, std::uint32_t function);

} // namespace hyp
