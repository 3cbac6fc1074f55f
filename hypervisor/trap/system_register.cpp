// SPDX-License-Identifier: BSD-3-Clause
// One table of the registers that EL2 answers for, keyed by encoding.
#include "interrupt/vic.hpp"
#include "trap/exits.hpp"
#include "trap/id_registers.hpp"
#include "trap/register_access.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/id_registers.hpp>
#include <arch/pmu.hpp>

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

void ignore(Vcpu&, std::uint64_t) {}

template <bool group0>
[[gnu::noinline]] void send_sgi(Vcpu& vcpu, std::uint64_t value) {
    if (Vic* vic = vcpu.interrupts.vic()) {
        vic->send_sgi(vcpu.interrupts, value, group0);
    }
}

void deactivate_interrupt(Vcpu& vcpu, std::uint64_t value) {
    vcpu.interrupts.deactivate(static_cast<std::uint32_t>(value) & 0xffffff);
}

struct Entry {
    std::uint32_t encoding;
    bool readable; // as zero
    void (*write)(Vcpu&, std::uint64_t value);
};

constexpr Entry table[] = {
    {encoding(3, 0, 1, 0, 1), true, ignore},                  // ACTLR_EL1
    {encoding(3, 0, 12, 11, 5), false, send_sgi<false>},      // ICC_SGI1R_EL1
    {encoding(3, 0, 12, 11, 6), false, ignore},               // ICC_ASGI1R_EL1: no other state
    {encoding(3, 0, 12, 11, 7), false, send_sgi<true>},       // ICC_SGI0R_EL1
    {encoding(3, 0, 12, 11, 1), false, deactivate_interrupt}, // ICC_DIR_EL1
};

// With the direction.
constexpr std::uint64_t iss_read = 1;
constexpr std::uint64_t iss_access = encoding(3, 7, 15, 15, 7) | iss_read;

/// S3_0_C0_C<1..7>_<op2>, read.
bool is_identification(std::uint64_t esr) {
    constexpr std::uint64_t crm_op2 = encoding(0, 0, 0, 7, 7);
    return (esr & iss_access & ~crm_op2) == (encoding(3, 0, 0, 0, 0) | iss_read) &&
           (esr & encoding(0, 0, 0, 7, 0)) != 0;
}

bool serve(Vcpu& vcpu, std::uint64_t esr, RegisterAccess& access) {
    if (is_identification(esr)) {
        access.value = identification(vcpu.guest.features, access.crm * 8 + access.op2);
        return true;
    }
    for (const Entry& entry : table) {
        if (entry.encoding == access.encoding()) {
            if (access.write) {
                entry.write(vcpu, access.value);
            }
            return access.write || entry.readable;
        }
    }
    return access_debug_register(vcpu, access);
}

/// Counters are loaded at a guest's first access; guests that do not count pay nothing for them.
/// True: they are in the hardware now, and the access is to be repeated there.
bool hand_over_pmu(Vcpu& vcpu, const RegisterAccess& access) {
    // Arm ARM D19.5: S3_3_C9_C12..C14 and S3_3_C14_C8..C15 at EL0, S3_0_C9_C14 at EL1.
    const bool el0 =
        access.op1 == 3 && ((access.crn == 9 && access.crm >= 12 && access.crm <= 14) ||
                            (access.crn == 14 && access.crm >= 8));
    const bool el1 = access.op1 == 0 && access.crn == 9 && access.crm == 14;
    const bool is_pmu_register = access.op0 == 3 && (el0 || el1);
    arch::GuestState& guest = vcpu.guest;
    if (!guest.features.pmu || guest.pmu_in_hardware || !is_pmu_register) {
        return false;
    }
    guest.pmu_in_hardware = true;
    arch::load_pmu(guest.pmu);
    return true;
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
    const unsigned rt = static_cast<unsigned>(esr >> 5) & 0x1f;
    if (is_identification(esr) && is_at_hand(rt)) {
        const auto which = static_cast<unsigned>((esr >> 1 & 7) * 8 + (esr >> 17 & 7));
        const Identification& mine = identification_of(vcpu.guest.features);
        if (mine.made.load(std::memory_order_acquire) && rt < 31) [[likely]] {
            vcpu.registers.x[rt] = mine.value[which];
            return instruction_done;
        }
    } else if ((esr & iss_access) == encoding(3, 0, 12, 11, 5) && is_at_hand(rt)) { // ICC_SGI1R_EL1
        send_sgi<false>(vcpu, rt < 31 ? vcpu.registers.x[rt] : 0);
        return instruction_done;
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
    if (!serve(vcpu, esr, access)) {
        inject_undefined_access(vcpu, esr, access);
        return;
    }
    if (!access.write && access.rt < 31) {
        x[access.rt] = access.value;
    }
    vcpu.registers.pc += 4;
}

} // namespace hyp
