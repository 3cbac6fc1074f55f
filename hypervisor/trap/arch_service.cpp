// SPDX-License-Identifier: BSD-3-Clause
// A workaround is offered if the firmware has it. Where the firmware does not know it, the CPU may
// still say that it needs none (ID_AA64PFR0_EL1.CSV2).
#include "trap/arch_service.hpp"

#include "platform/firmware.hpp"
#include "trap/pv_time.hpp"
#include "vcpu/vcpu.hpp"

#include <arch/id_registers.hpp>

namespace hyp {

namespace {

constexpr std::uint32_t version = 0x80000000;
constexpr std::uint32_t features = 0x80000001;
constexpr std::uint32_t soc_id = 0x80000002;
constexpr std::uint32_t workaround_1 = 0x80008000; // branch predictor (CVE-2017-5715)
constexpr std::uint32_t workaround_2 = 0x80007fff; // speculative store bypass (CVE-2018-3639)
constexpr std::uint32_t workaround_3 = 0x80003fff; // branch history (CVE-2022-23960)

constexpr std::uint64_t smccc_1_3 = 0x10003;

enum class Arch : std::int64_t {
    success = 0,
    not_supported = -1,
    not_required = -2,
    not_needed_here = 1, // may be called, to no effect
};

Arch by_cpu(std::uint64_t least_csv2) {
    constexpr unsigned csv2_shift = 56;
    const std::uint64_t csv2 = (arch::read_id_register(4, 0) >> csv2_shift) & 0xf;
    return csv2 >= least_csv2 ? Arch::not_needed_here : Arch::not_supported;
}

// CSV2 = 1: no other context trains branches; 3: nor does it leave history behind.
Arch branch_workaround(std::uint32_t function, std::uint64_t least_csv2) {
    const std::int32_t offered = firmware_arch_features(function);
    return offered >= 0 ? static_cast<Arch>(offered) : by_cpu(least_csv2);
}

// The firmware switches this one per CPU; no VM may do that to the others, so it stays on.
Arch store_bypass() {
    const std::int32_t offered = firmware_arch_features(workaround_2);
    return offered == static_cast<std::int32_t>(Arch::not_supported) ? Arch::not_supported
                                                                     : Arch::not_required;
}

Arch ask(const Vcpu& vcpu, std::uint32_t function) {
    switch (function) {
    case version:
    case features:
        return Arch::success;
    case soc_id:
        return static_cast<Arch>(firmware_arch_features(soc_id));
    case workaround_1:
        return branch_workaround(workaround_1, 1);
    case workaround_2:
        return store_bypass();
    case workaround_3:
        return branch_workaround(workaround_3, 3);
    default:
        return has_pv_time(vcpu, function) ? Arch::success : Arch::not_supported;
    }
}

// Workarounds return nothing; x0 to x3 stay as they were.
void work_around(std::uint32_t function) {
    if (firmware_arch_features(function) >= 0) {
        (void)firmware_arch_call(function, 0);
    }
}

std::int64_t identify_soc(std::uint64_t type) {
    return firmware_arch_features(soc_id) >= 0 ? firmware_arch_call(soc_id, type)
                                               : static_cast<std::int64_t>(Arch::not_supported);
}

} // namespace

bool handle_arch_service(Vcpu& vcpu, std::uint32_t function) {
    auto& x = vcpu.registers.x;
    switch (function) {
    case version:
        x[0] = smccc_1_3;
        return true;
    case features:
        x[0] = static_cast<std::uint64_t>(ask(vcpu, static_cast<std::uint32_t>(x[1])));
        return true;
    case soc_id:
        x[0] = static_cast<std::uint64_t>(identify_soc(x[1] & 0xffffffff));
        return true;
    case workaround_1:
    case workaround_3:
        work_around(function);
        return true;
    case workaround_2:
        return true;
    default:
        return false;
    }
}

} // namespace hyp
