// SPDX-License-Identifier: BSD-3-Clause
// Exception entry to EL1 done by hand (Arm ARM D1.3.1, AArch64.TakeException).
#include "trap/exception_class.hpp"
#include "trap/exits.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/guest_exception.hpp>

namespace hyp {

namespace {

constexpr std::uint64_t mode_mask = 0xf;
constexpr std::uint64_t mode_el0 = 0x0;
constexpr std::uint64_t mode_el1t = 0x4;
constexpr std::uint64_t mode_el1h = 0x5;
constexpr std::uint64_t pstate_aarch32 = 1u << 4;
constexpr std::uint64_t pstate_daif = 0x3c0;
constexpr std::uint64_t pstate_pan = 1u << 22;
constexpr std::uint64_t pstate_dit = 1u << 24;
constexpr std::uint64_t pstate_nzcv = 0xf0000000;
constexpr std::uint64_t pstate_ssbs = 1u << 12;
constexpr std::uint64_t sctlr_span = 1u << 23;
constexpr std::uint64_t sctlr_dssbs = 1ull << 44;

// Vector offsets from VBAR_EL1 for a synchronous exception.
std::uint64_t vector_offset(std::uint64_t pstate) {
    if ((pstate & pstate_aarch32) != 0) {
        return 0x600;
    }
    switch (pstate & mode_mask) {
    case mode_el1t:
        return 0x000;
    case mode_el1h:
        return 0x200;
    default:
        return 0x400;
    }
}

// PSTATE at the handler: condition flags and DIT kept, PAN set unless SCTLR_EL1.SPAN, SSBS from
// SCTLR_EL1.DSSBS, UAO, SS and IL clear, interrupts masked.
std::uint64_t handler_pstate(std::uint64_t pstate, std::uint64_t sctlr, bool has_pan) {
    std::uint64_t result = mode_el1h | pstate_daif;
    result |= pstate & (pstate_nzcv | pstate_dit);
    result |= pstate & pstate_pan;
    if (has_pan && (sctlr & sctlr_span) == 0) {
        result |= pstate_pan;
    }
    if ((sctlr & sctlr_dssbs) != 0) {
        result |= pstate_ssbs;
    }
    return result;
}

bool from_el0(const Vcpu& vcpu) {
    const std::uint64_t pstate = vcpu.registers.pstate;
    return (pstate & pstate_aarch32) != 0 || (pstate & mode_mask) == mode_el0;
}

} // namespace

void inject_exception(Vcpu& vcpu, std::uint64_t syndrome) {
    auto& registers = vcpu.registers;
    arch::write_el1_exception(registers.pc, registers.pstate, syndrome);
    registers.pc = arch::el1_vector_base() + vector_offset(registers.pstate);
    registers.pstate = handler_pstate(registers.pstate, arch::el1_sctlr(), arch::has_pan());
}

void inject_undefined(Vcpu& vcpu) {
    inject_exception(vcpu, (esr::ec_unknown << esr::ec_shift) | esr::il);
}

void inject_abort(Vcpu& vcpu, std::uint64_t syndrome, std::uint64_t far, std::uint64_t status) {
    const bool fetch = esr::ec(syndrome) == esr::ec_instruction_abort_lower;
    std::uint64_t ec = fetch ? esr::ec_instruction_abort_same : esr::ec_data_abort_same;
    if (from_el0(vcpu)) {
        ec = esr::ec(syndrome);
    }
    const std::uint64_t kept = syndrome & (esr::il | esr::wnr | esr::cm);
    arch::write_el1_fault_address(far);
    inject_exception(vcpu, (ec << esr::ec_shift) | kept | status);
}

} // namespace hyp
