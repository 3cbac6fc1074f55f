// SPDX-License-Identifier: BSD-3-Clause
// One table of the registers that EL2 answers for, keyed by encoding.
#include "trap/system_register.hpp"

#include "interrupt/vic.hpp"
#include "trap/debug_access.hpp"
#include "trap/id_registers.hpp"
#include "trap/inject.hpp"
#include "trap/pmu_access.hpp"
#include "trap/register_access.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/id_registers.hpp>

#include <array>

namespace hyp {

namespace {

bool read_as_zero_write_ignored(Vcpu&, RegisterAccess& access) {
    access.value = 0;
    return true;
}

bool generate_sgi(Vcpu& vcpu, RegisterAccess& access) {
    if (!access.write) {
        return false; // write-only
    }
    if (Vic* vic = vcpu.interrupts.vic(); vic != nullptr) {
        vic->send_sgi(vcpu.interrupts, access.value);
    }
    return true;
}

bool generate_group0_sgi(Vcpu& vcpu, RegisterAccess& access) {
    if (Vic* vic = vcpu.interrupts.vic(); access.write && vic != nullptr) {
        vic->send_sgi(vcpu.interrupts, access.value, true);
    }
    return access.write;
}

// For the other security state, of which there is none.
bool ignore_other_state_sgi(Vcpu&, RegisterAccess& access) {
    return access.write;
}

bool deactivate_interrupt(Vcpu& vcpu, RegisterAccess& access) {
    if (!access.write) {
        return false;
    }
    vcpu.interrupts.deactivate(static_cast<std::uint32_t>(access.value) & 0xffffff);
    return true;
}

struct Entry {
    std::uint32_t encoding;
    bool (*handle)(Vcpu&, RegisterAccess&);
};

constexpr auto table = std::to_array<Entry>({
    {encoding(3, 0, 1, 0, 1), read_as_zero_write_ignored}, // ACTLR_EL1
    {encoding(3, 0, 12, 11, 5), generate_sgi},             // ICC_SGI1R_EL1
    {encoding(3, 0, 12, 11, 6), ignore_other_state_sgi},   // ICC_ASGI1R_EL1
    {encoding(3, 0, 12, 11, 7), generate_group0_sgi},      // ICC_SGI0R_EL1
    {encoding(3, 0, 12, 11, 1), deactivate_interrupt},     // ICC_DIR_EL1
});

bool read_identification(const RegisterAccess& access, std::uint64_t& value,
                         GuestFeatures features) {
    const bool is_id = access.op0 == 3 && access.op1 == 0 && access.crn == 0 && access.crm >= 1 &&
                       access.crm <= 7 && !access.write;
    if (is_id) {
        value = guest_id_register(access.crm, access.op2,
                                  arch::read_id_register(access.crm, access.op2), features);
    }
    return is_id;
}

bool serve(Vcpu& vcpu, RegisterAccess& access) {
    if (read_identification(access, access.value, vcpu.guest.features)) {
        return true;
    }
    for (const Entry& entry : table) {
        if (entry.encoding == access.encoding()) {
            return entry.handle(vcpu, access);
        }
    }
    return access_debug_register(vcpu, access);
}

// A register in the space of ID registers that is not there has a class of its own where the guest
// is told so (FEAT_IDST, Arm ARM D17.3.1): op0 3, op1 0, 1 or 3, CRn 0, CRm 0..7.
void inject_undefined_access(Vcpu& vcpu, std::uint64_t esr, const RegisterAccess& access) {
    const bool id_space = access.op0 == 3 && (access.op1 <= 1 || access.op1 == 3) &&
                          access.crn == 0 && access.crm <= 7 && !access.write;
    constexpr unsigned ids_shift = 36;
    const std::uint64_t mmfr2 =
        id_space ? guest_id_register(7, 2, arch::read_id_register(7, 2), vcpu.guest.features) : 0;
    if (((mmfr2 >> ids_shift) & 0xf) != 0) {
        inject_exception(vcpu, esr);
    } else {
        inject_undefined(vcpu);
    }
}

} // namespace

void handle_system_register(Vcpu& vcpu, std::uint64_t esr) {
    RegisterAccess access = decode_register_access(esr);
    auto& x = vcpu.registers.x;
    access.value = access.write && access.rt < 31 ? x[access.rt] : 0;
    if (hand_over_pmu(vcpu, access)) {
        return;
    }
    if (!serve(vcpu, access)) {
        inject_undefined_access(vcpu, esr, access);
        return;
    }
    if (!access.write && access.rt < 31) {
        x[access.rt] = access.value;
    }
    vcpu.registers.pc += 4;
}

} // namespace hyp
