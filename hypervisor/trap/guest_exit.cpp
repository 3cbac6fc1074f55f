// SPDX-License-Identifier: BSD-3-Clause
// Every exit of a guest: what happened, who handles it, and whether it goes on at once.
#include "hypercall/handler.hpp"
#include "platform/console.hpp"
#include "schedule/physical_interrupts.hpp"
#include "schedule/scheduler.hpp"
#include "trap/exception_class.hpp"
#include "trap/exits.hpp"
#include "trap/services.hpp"

#include <abi/hypercall.h>
#include <arch/guest_state.hpp>
#include <arch/work.hpp>

#include <cstdint>

namespace hyp {

namespace {

void handle_wfx(Vcpu& vcpu, std::uint64_t syndrome) {
    vcpu.registers.pc += 4;
    if (esr::is_wfe(syndrome)) {
        scheduler().yield();
    } else {
        vcpu.wait_for_interrupt(0);
    }
}

// A trapped SMC, unlike HVC, returns to itself. Only the immediate 0 means something.
void handle_smc(Vcpu& vcpu, std::uint64_t syndrome) {
    vcpu.registers.pc += 4;
    if ((syndrome & 0xffff) == 0) {
        handle_smccc(vcpu);
    } else {
        vcpu.registers.x[0] = ~std::uint64_t{0};
    }
}

void handle_synchronous(Vcpu& vcpu, const arch::ExitSyndrome& syndrome) {
    const std::uint64_t esr = syndrome.esr;
    switch (esr::ec(esr)) {
    case esr::ec_smc64:
        handle_smc(vcpu, esr);
        break;
    case esr::ec_data_abort_lower:
    case esr::ec_instruction_abort_lower:
        handle_abort(vcpu, syndrome);
        break;
    case esr::ec_sysreg:
        handle_system_register(vcpu, esr);
        break;
    case esr::ec_wfx:
        handle_wfx(vcpu, esr);
        break;
    case esr::ec_sve:
        if (!vcpu.guest.features.sve) {
            inject_undefined(vcpu);
            break;
        }
        [[fallthrough]];
    case esr::ec_fp_simd:
        vcpu.guest.open_vectors();
        break;
    default:
        // Whatever else traps is something that this VM does not have.
        inject_undefined(vcpu);
        break;
    }
}

[[gnu::noinline]] GuestRegisters* look_at_interrupts(Vcpu& vcpu) {
    vcpu.interrupts.enter(); // which may wake others
    arch::forget_work(arch::work_interrupts);
    return arch::work_left() == 0 ? &vcpu.registers : scheduler().resume();
}

[[gnu::noinline]] GuestRegisters* work_off(Vcpu& vcpu) {
    switch (arch::work_left()) {
    case arch::work_hand_over:
        return scheduler().hand_over();
    case arch::work_interrupts:
        return look_at_interrupts(vcpu);
    default:
        return scheduler().resume();
    }
}

inline GuestRegisters* go_on(Vcpu& vcpu) {
    return arch::work_left() == 0 ? &vcpu.registers : work_off(vcpu);
}

} // namespace

// Called by arm64/guest_exit.S on this CPU's EL2 stack with interrupts masked. guest_trap() finds
// only the registers in memory that is_at_hand() names (trap/exits.hpp), the others find all of
// them; they return the registers to enter with.

/// Any synchronous exit but HVC. Serves what is frequent, and leaves the rest for
/// guest_trap_left_work(). Returns the length of an instruction that is done.
extern "C" HYP_CALLED_BY_NAME std::uint64_t guest_trap(Vcpu& vcpu, std::uint64_t esr) {
    const std::uint64_t ec = esr::ec(esr);
    if (ec == esr::ec_sysreg) {
        return serve_register_at_once(vcpu, esr);
    }
    if (ec == esr::ec_data_abort_lower) {
        return serve_device_at_once(vcpu, esr);
    }
    return leave_for_whole_exit();
}

extern "C" HYP_CALLED_BY_NAME GuestRegisters* guest_trap_left_work(Vcpu& vcpu) {
    if ((arch::work_left() & arch::work_whole_exit) != 0) {
        arch::forget_work(arch::work_whole_exit);
        handle_synchronous(vcpu, arch::read_syndrome());
    }
    return go_on(vcpu);
}

extern "C" HYP_CALLED_BY_NAME GuestRegisters* guest_interrupt(Vcpu& vcpu) {
    handle_physical_interrupts();
    return go_on(vcpu);
}

extern "C" HYP_CALLED_BY_NAME GuestRegisters* guest_serror(Vcpu& vcpu) {
    log("vCPU {} of VM {}: physical SError while it ran; it is stopped", vcpu.index(),
        vcpu.address_space().vmid());
    vcpu.stop(VcpuState::faulted, RunReport{GH_VCPU_STATE_FAULT, {}});
    return go_on(vcpu);
}

extern "C" HYP_CALLED_BY_NAME GuestRegisters* guest_hypercall_left_work(Vcpu& vcpu,
                                                                        std::uint64_t x0) {
    write_x0(vcpu, x0);
    if ((arch::work_left() & arch::work_whole_exit) != 0) {
        arch::forget_work(arch::work_whole_exit);
        handle_smccc(vcpu);
    }
    return go_on(vcpu);
}

} // namespace hyp
