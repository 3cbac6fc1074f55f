// SPDX-License-Identifier: BSD-3-Clause
// Debug registers live in memory until the guest enables breakpoints, watchpoints or stepping; then
// its copy is loaded into the hardware and accesses trap no more, until it is next switched out.
#include "trap/register_access.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/debug_registers.hpp>

namespace hyp {

namespace {

std::uint64_t* storage(arch::DebugRegisters& debug, const RegisterAccess& access) {
    if (access.op1 != 0 || access.crn != 0) {
        return nullptr;
    }
    switch (access.op2) {
    case 2:
        return access.crm == 2 ? &debug.mdscr : nullptr;
    case 4:
        return &debug.dbgbvr[access.crm];
    case 5:
        return &debug.dbgbcr[access.crm];
    case 6:
        return &debug.dbgwvr[access.crm];
    case 7:
        return &debug.dbgwcr[access.crm];
    default:
        return nullptr;
    }
}

// OS lock and power registers: the lock is implemented as always open, like after boot firmware.
bool access_lock_register(RegisterAccess& access) {
    constexpr std::uint64_t oslm = 1u << 3; // OSLSR_EL1.OSLM: OS lock implemented
    switch (access.encoding()) {
    case encoding(2, 0, 1, 0, 4): // OSLAR_EL1, write-only
        return access.write;
    case encoding(2, 0, 1, 1, 4): // OSLSR_EL1, read-only
        access.value = oslm;
        return !access.write;
    case encoding(2, 0, 1, 3, 4): // OSDLR_EL1
    case encoding(2, 0, 1, 4, 4): // DBGPRCR_EL1
    case encoding(2, 0, 0, 2, 0): // MDCCINT_EL1
    case encoding(2, 0, 0, 0, 2): // OSDTRRX_EL1
    case encoding(2, 0, 0, 3, 2): // OSDTRTX_EL1
    case encoding(2, 0, 0, 6, 2): // OSECCR_EL1
    case encoding(2, 0, 7, 8, 6): // DBGCLAIMSET_EL1
    case encoding(2, 0, 7, 9, 6): // DBGCLAIMCLR_EL1
        access.value = 0;
        return true;
    case encoding(2, 0, 7, 14, 6): // DBGAUTHSTATUS_EL1, read-only
    case encoding(2, 3, 0, 1, 0):  // MDCCSR_EL0, read-only
    case encoding(2, 0, 1, 0, 0):  // MDRAR_EL1, read-only
        access.value = 0;
        return !access.write;
    default:
        return false;
    }
}

} // namespace

bool access_debug_register(Vcpu& vcpu, RegisterAccess& access) {
    if (access.op0 != 2) {
        return false;
    }
    std::uint64_t* stored = storage(vcpu.guest.debug, access);
    if (stored == nullptr) {
        return access_lock_register(access);
    }
    if (!access.write) {
        access.value = *stored;
        return true;
    }
    *stored = access.value;
    if ((vcpu.guest.debug.mdscr & arch::mdscr_uses_hardware) != 0) {
        vcpu.guest.debug_in_hardware = true;
        arch::load_debug(vcpu.guest.debug);
        arch::trap_debug(false);
    }
    return true;
}

} // namespace hyp
