// SPDX-License-Identifier: BSD-3-Clause
// The SMC Calling Convention (Arm DEN0028): which service a function identifier names.
#include "hypercall/dispatch.hpp"
#include "hypercall/handler.hpp"
#include "trap/services.hpp"
#include "vcpu/vcpu.hpp"

#include <abi/hypercall.h>
#include <arch/work.hpp>

#include <algorithm>

namespace hyp {

namespace {

// Function identifiers, DEN0028 section 7 and Gunyah's vendor-specific hypervisor service.
constexpr std::uint32_t vendor_hyp_call_uid = 0x8600ff01;
constexpr std::uint32_t vendor_hyp_revision = 0x8600ff03;

constexpr std::uint64_t smccc_not_supported = ~std::uint64_t{0};

// UUID c1d58fcd-a453-5fdb-9265-ce36673d5f14 in the four words of CALL_UID.
constexpr std::uint32_t gunyah_uid[4] = {0xcd8fd5c1, 0xdb5f53a4, 0x36ce6592, 0x145f3d67};

// SMCCC 1.3 (section 2.5): a caller sets bit 16 of a fast call if it needs no SVE state preserved;
// that names no other function.
std::uint32_t without_sve_hint(std::uint64_t x0) {
    constexpr std::uint32_t fast_call = 1u << 31;
    constexpr std::uint32_t sve_hint = 1u << 16;
    const auto function = static_cast<std::uint32_t>(x0);
    return (function & fast_call) != 0 ? function & ~sve_hint : function;
}

bool serve_vendor(Vcpu& vcpu, std::uint32_t function) {
    auto& x = vcpu.registers.x;
    if (function == vendor_hyp_call_uid) {
        std::copy(std::begin(gunyah_uid), std::end(gunyah_uid), x);
    } else if (function == vendor_hyp_revision) {
        x[0] = GH_API_VERSION;
        x[1] = 0;
    } else {
        return false;
    }
    return true;
}

} // namespace

void handle_smccc(Vcpu& vcpu) {
    auto& x = vcpu.registers.x;
    const std::uint32_t function = without_sve_hint(x[0]);
    if (const std::uint32_t number = function - GH_SMCCC_BASE; number < hypercall_numbers) {
        write_x0(vcpu, hypercall(vcpu, number, 1));
        return;
    }
    for (auto* serve :
         {serve_psci, serve_watchdog, serve_arch, serve_trng, serve_pv_time, serve_vendor}) {
        if (serve(vcpu, function)) {
            return;
        }
    }
    x[0] = smccc_not_supported;
}

/// Called by arm64/guest_exit.S for every HVC, with x0 to x17 of the vCPU in memory; returns what
/// is to be its x0. What needs more of it, or is rare, is left for handle_smccc().
extern "C" HYP_CALLED_BY_NAME std::uint64_t guest_hypercall(Vcpu& vcpu, std::uint64_t esr) {
    const auto immediate = static_cast<std::uint16_t>(esr);
    if (const unsigned number = immediate - GH_HVC_IMM_BASE; number < hypercall_numbers) {
        return hypercall(vcpu, number, 0);
    }
    if (immediate != 0) {
        return smccc_not_supported;
    }
    const auto function = static_cast<std::uint32_t>(vcpu.registers.x[0]);
    if (const std::uint32_t number = function - GH_SMCCC_BASE; number < hypercall_numbers) {
        return hypercall(vcpu, number, 1);
    }
    if (function == psci_version) {
        return psci_version_1_1;
    }
    arch::note_work(arch::work_whole_exit);
    return Outcome::deferred;
}

} // namespace hyp
