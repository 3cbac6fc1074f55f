// SPDX-License-Identifier: BSD-3-Clause
// Who serves which exit of a guest. First all that is frequent is tried with only some of the
// vCPU's registers in memory (arm64/guest_exit.S): those that is_at_hand() names. PC and PSTATE are
// not. What is left for the whole exit finds all of them.
#pragma once

#include <arch/guest_state.hpp>
#include <arch/work.hpp>

#include <cstdint>

namespace hyp {

class Vcpu;

/// Xn; 31 is the zero register.
constexpr bool is_at_hand(unsigned n) {
    return (0xe003ffffU >> n & 1) != 0;
}

/// What the functions named *_at_once return: how far the vCPU's PC goes on.
inline constexpr std::uint64_t instruction_done = 4;
/// The vCPU waits for what its VMM does about it.
inline constexpr std::uint64_t instruction_waits = 0;
/// Nothing is done: once all registers are in memory, the exit is served again.
inline std::uint64_t leave_for_whole_exit() {
    arch::note_work(arch::work_whole_exit);
    return 0;
}

/// A data abort (EC 0x24) that a virtual device or a VMM answers.
std::uint64_t serve_device_at_once(Vcpu&, std::uint64_t esr);
/// A data or instruction abort: a virtual device, a VMM's device, a race with EL2's own table
/// changes, or an error.
void handle_abort(Vcpu&, const arch::ExitSyndrome&);

/// An MSR or MRS (EC 0x18) that identifies the CPU or generates an SGI.
std::uint64_t serve_register_at_once(Vcpu&, std::uint64_t esr);
/// Any MSR, MRS or system instruction: identification, debug, counters, SGIs; all else is undefined
/// for the guest.
void handle_system_register(Vcpu&, std::uint64_t esr);

// Exceptions that EL2 makes the loaded vCPU's EL1 take, as the hardware would have (inject.cpp).

/// The instruction at the guest's pc is undefined there.
void inject_undefined(Vcpu&);
/// EL1 takes a synchronous exception with this ESR_EL1.
void inject_exception(Vcpu&, std::uint64_t esr);
/// An abort on the access (or instruction fetch) that `esr` describes, at virtual address `far`,
/// for the reason `status`: esr::fsc_external or fsc_alignment.
void inject_abort(Vcpu&, std::uint64_t esr, std::uint64_t far, std::uint64_t status);

} // namespace hyp
