// SPDX-License-Identifier: BSD-3-Clause
// One table of the registers that EL2 answers for, keyed by encoding.
#include "trap/system_register.hpp"

#include "interrupt/vic.hpp"
#include "trap/at_once.hpp"
#include "trap/debug_access.hpp"
#include "trap/id_registers.hpp"
#include "trap/inject.hpp"
#include "trap/pmu_access.hpp"
#include "trap/register_access.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/id_registers.hpp>

#include <array>
#include <atomic>

namespace hyp {

namespace {

/// The identification registers as vCPUs with the same features read them, by CRm * 8 + Op2. Made
/// at the first read, on whichever CPU: a vCPU that moves must not see them change.
struct Identification {
    std::atomic<bool> made{false};
    std::array<std::uint64_t, 64> value{};
};

Identification& identification_of(GuestFeatures features) {
    static_assert(sizeof(GuestFeatures) == 2, "each feature is one bit of the index");
    static constinit std::array<Identification, 4> all{};
    return all[(features.sve ? 1U : 0U) + (features.pmu ? 2U : 0U)];
}

std::uint64_t identification(GuestFeatures features, unsigned which) {
    Identification& mine = identification_of(features);
    if (!mine.made.load(std::memory_order_acquire)) {
        for (unsigned i = 8; i < mine.value.size(); ++i) { // CRm 0 does not trap
            mine.value[i] =
                guest_id_register(i / 8, i % 8, arch::read_id_register(i / 8, i % 8), features);
        }
        mine.made.store(true, std::memory_order_release);
    }
    return mine.value[which];
}

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

bool serve(Vcpu& vcpu, RegisterAccess& access) {
    if (access.op0 == 3 && access.op1 == 0 && access.crn == 0 && access.crm >= 1 &&
        access.crm <= 7 && !access.write) {
        access.value = identification(vcpu.guest.features, access.crm * 8 + access.op2);
        return true;
    }
    for (const Entry& entry : table) {
        if (entry.encoding == access.encoding()) {
            return entry.handle(vcpu, access);
        }
    }
    return access_debug_register(vcpu, access);
}

[[gnu::noinline]] std::uint64_t send_sgi_at_once(Vcpu& vcpu, std::uint64_t value) {
    Vic* vic = vcpu.interrupts.vic();
    if (vic == nullptr) {
        return leave_for_whole_exit();
    }
    vic->send_sgi(vcpu.interrupts, value, false);
    return instruction_done;
}

// What an access names, in place in the ISS (register_access.hpp), with the direction.
constexpr std::uint64_t iss_read = 1;
constexpr std::uint64_t iss(unsigned op0, unsigned op1, unsigned crn, unsigned crm, unsigned op2) {
    return (std::uint64_t{op0} << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (crm << 1);
}
constexpr std::uint64_t iss_access = iss(3, 7, 15, 15, 7) | iss_read;
constexpr std::uint64_t iss_crm_op2 = iss(0, 0, 0, 7, 7);

/// S3_0_C0_C<1..7>_<op2>, read.
bool is_identification(std::uint64_t access) {
    return (access & ~iss_crm_op2) == (iss(3, 0, 0, 0, 0) | iss_read) &&
           (access & iss(0, 0, 0, 7, 0)) != 0;
}

// A register in the space of ID registers that is not there has a class of its own where the guest
// is told so (FEAT_IDST, Arm ARM D17.3.1): op0 3, op1 0, 1 or 3, CRn 0, CRm 0..7.
void inject_undefined_access(Vcpu& vcpu, std::uint64_t esr, const RegisterAccess& access) {
    const bool id_space = access.op0 == 3 && (access.op1 <= 1 || access.op1 == 3) &&
                          access.crn == 0 && access.crm <= 7 && !access.write;
    constexpr unsigned ids_shift = 36;
    const std::uint64_t mmfr2 = id_space ? identification(vcpu.guest.features, 7 * 8 + 2) : 0;
    if (((mmfr2 >> ids_shift) & 0xf) != 0) {
        inject_exception(vcpu, esr);
    } else {
        inject_undefined(vcpu);
    }
}

} // namespace

std::uint64_t serve_register_at_once(Vcpu& vcpu, std::uint64_t esr) {
    const std::uint64_t access = esr & iss_access;
    const unsigned rt = static_cast<unsigned>(esr >> 5) & 0x1f;
    if (is_identification(access) && is_at_hand(rt)) {
        const auto which = static_cast<unsigned>((esr >> 1 & 7) * 8 + (esr >> 17 & 7));
        const Identification& mine = identification_of(vcpu.guest.features);
        if (mine.made.load(std::memory_order_acquire) && rt < 31) [[likely]] {
            vcpu.registers.x[rt] = mine.value[which];
            return instruction_done;
        }
    } else if (access == iss(3, 0, 12, 11, 5) && is_at_hand(rt)) { // ICC_SGI1R_EL1
        return send_sgi_at_once(vcpu, rt < 31 ? vcpu.registers.x[rt] : 0);
    }
    return leave_for_whole_exit();
}

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
