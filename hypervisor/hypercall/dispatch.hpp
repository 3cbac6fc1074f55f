// SPDX-License-Identifier: BSD-3-Clause
// From a hypercall's number to its handler, in both call forms.
#pragma once

#include "heap/trace.hpp"
#include "hypercall/handler.hpp"

#include <abi/hypercall.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyp {

/// Fills the dispatch table from the families' tables; once, before any VM runs. Panics when two
/// handlers claim one number.
void init_hypercalls();

/// Calls are numbered from 0 to this, in both forms.
inline constexpr std::size_t hypercall_numbers = GH_HVC_IMM_LAST - GH_HVC_IMM_BASE + 1;
static_assert(hypercall_numbers == GH_SMCCC_LAST - GH_SMCCC_BASE + 1);

/// nullptr where no call is. Fixed once VMs run.
extern std::array<Handler, hypercall_numbers> hypercall_table;

/// As hypercall(): identification, numbers without a call, and all while errors are traced.
std::uint64_t serve_rare(Vcpu& caller, std::size_t number, unsigned first);

/// Call `number` (below hypercall_numbers), with arguments from x`first` on: 0 for
/// `hvc #(GH_HVC_IMM_BASE + number)`, 1 for `hvc #0` with x0 = GH_SMCCC_BASE + number.
/// Its results beside x0 are in the caller's registers; returns what is for write_x0().
inline std::uint64_t hypercall(Vcpu& caller, std::size_t number, unsigned first) {
    const Handler handler = hypercall_table[number];
    if (handler == nullptr || is_traced(TraceClass::error)) [[unlikely]] {
        return serve_rare(caller, number, first);
    }
    return handler(caller, Arguments{caller.registers.x + first});
}

} // namespace hyp
