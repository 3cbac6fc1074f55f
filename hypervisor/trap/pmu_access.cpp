// SPDX-License-Identifier: BSD-3-Clause
// Counters are loaded at a guest's first access; guests that do not count pay nothing for them.
#include "trap/pmu_access.hpp"

#include "vcpu/vcpu.hpp"

#include <arch/pmu.hpp>

namespace hyp {

namespace {

// Arm ARM D19.5: S3_3_C9_C12..C14 and S3_3_C14_C8..C15 at EL0, S3_0_C9_C14 at EL1.
bool is_pmu_register(const RegisterAccess& access) {
    const bool el0 =
        access.op1 == 3 && ((access.crn == 9 && access.crm >= 12 && access.crm <= 14) ||
                            (access.crn == 14 && access.crm >= 8));
    const bool el1 = access.op1 == 0 && access.crn == 9 && access.crm == 14;
    return access.op0 == 3 && (el0 || el1);
}

} // namespace

bool hand_over_pmu(Vcpu& vcpu, const RegisterAccess& access) {
    arch::GuestState& guest = vcpu.guest;
    if (!guest.features.pmu || guest.pmu_in_hardware || !is_pmu_register(access)) {
        return false;
    }
    guest.pmu_in_hardware = true;
    arch::load_pmu(guest.pmu);
    return true;
}

} // namespace hyp
