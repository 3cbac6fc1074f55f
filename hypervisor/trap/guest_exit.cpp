// SPDX-License-Identifier: BSD-3-Clause
// Every exit of a guest: what happened, who handles it, who runs next.
#include "schedule/physical_interrupts.hpp"
#include "schedule/scheduler.hpp"
#include "trap/abort.hpp"
#include "trap/exception_class.hpp"
#include "trap/inject.hpp"
#include "trap/smccc.hpp"
#include "trap/system_register.hpp"

#include "platform/console.hpp"

#include <abi/hypercall.h>
#include <arch/guest_state.hpp>

#include <cstdint>

namespace hyp {

namespace {

// As arm64/guest_exit.S numbers them.
enum class ExitKind : unsigned { synchronous = 0, irq = 1, fiq = 2, serror = 3 };

void handle_wfx(Vcpu& vcpu, std::uint64_t syndrome) {
    vcpu.registers.pc += 4;
    if (esr::is_wfe(syndrome)) {
        scheduler().yield();
    } else {
        vcpu.wait_for_interrupt(0);
    }
}

void handle_synchronous(Vcpu& vcpu) {
    const arch::ExitSyndrome syndrome = arch::read_syndrome();
    switch (esr::ec(syndrome.esr)) {
    case esr::ec_hvc64:
        handle_hvc(vcpu, static_cast<std::uint16_t>(syndrome.esr));
        break;
    case esr::ec_smc64:
        vcpu.registers.pc += 4; // a trapped SMC, unlike HVC, returns to itself
        handle_smc(vcpu, static_cast<std::uint16_t>(syndrome.esr));
        break;
    case esr::ec_data_abort_lower:
    case esr::ec_instruction_abort_lower:
        handle_abort(vcpu, syndrome);
        break;
    case esr::ec_sysreg:
        handle_system_register(vcpu, syndrome.esr);
        break;
    case esr::ec_wfx:
        handle_wfx(vcpu, syndrome.esr);
        break;
    default:
        // Whatever else traps is something that this VM does not have.
        inject_undefined(vcpu);
        break;
    }
}

void handle_serror(Vcpu& vcpu) {
    log("vCPU {} of VM {}: physical SError while it ran; it is stopped", vcpu.index(),
        vcpu.address_space().vmid());
    vcpu.stop(VcpuState::faulted, RunReport{GH_VCPU_STATE_FAULT, {}});
}

} // namespace

/// Called by arm64/guest_exit.S on this CPU's EL2 stack with interrupts masked; returns the
/// registers to enter with.
extern "C" GuestRegisters* guest_exit(unsigned kind) {
    switch (static_cast<ExitKind>(kind)) {
    case ExitKind::synchronous:
        handle_synchronous(scheduler().current());
        break;
    case ExitKind::irq:
    case ExitKind::fiq:
        handle_physical_interrupts();
        break;
    case ExitKind::serror:
        handle_serror(scheduler().current());
        break;
    }
    return scheduler().resume();
}

} // namespace hyp
