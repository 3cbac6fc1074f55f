// SPDX-License-Identifier: BSD-3-Clause
// From a hypercall's number to its handler, in both call forms.
#pragma once

#include <abi/hypercall.h>

#include <cstddef>
#include <cstdint>

namespace hyp {

class Vcpu;

/// Fills the dispatch table from the families' tables; once, before any VM runs. Panics when two
/// handlers claim one number.
void init_hypercalls();

/// Calls are numbered from 0 to this, in both forms.
inline constexpr std::size_t hypercall_numbers = GH_HVC_IMM_LAST - GH_HVC_IMM_BASE + 1;
static_assert(hypercall_numbers == GH_SMCCC_LAST - GH_SMCCC_BASE + 1);

/// Call `number` (below hypercall_numbers), with arguments from x`first` on: 0 for
/// `hvc #(GH_HVC_IMM_BASE + number)`, 1 for `hvc #0` with x0 = GH_SMCCC_BASE + number.
void hypercall(Vcpu& caller, std::size_t number, unsigned first);

} // namespace hyp
