// SPDX-License-Identifier: BSD-3-Clause
// A workaround is offered if the firmware has it. Where the firmware does not know it, the CPU may
// still say that it needs none (ID_AA64PFR0_EL1.CSV2). Beside it the two calls of Arm DEN0057,
// which ARCH_FEATURES tells of; Vcpu counts and writes the stolen time.
#include "platform/firmware.hpp"
#include "trap/services.hpp"
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

// DEN0057 section 3.
constexpr std::uint32_t pv_time_features = 0xc5000020;
constexpr std::uint32_t pv_time_st = 0xc5000021;

enum Answer : std::int64_t {
    success = 0,
    not_supported = -1,
    not_required = -2,
    not_needed_here = 1, // may be called, to no effect
    smccc_1_3 = 0x10003,
};

// CSV2 = 1: no other context trains branches; 3: nor does it leave history behind.
std::int64_t branch_workaround(std::uint32_t function, std::uint64_t least_csv2) {
    constexpr unsigned csv2_shift = 56;
    if (const std::int32_t offered = firmware_arch_features(function); offered >= 0) {
        return offered;
    }
    const std::uint64_t csv2 = (arch::read_id_register(4, 0) >> csv2_shift) & 0xf;
    return csv2 >= least_csv2 ? not_needed_here : not_supported;
}

bool has_pv_time(const Vcpu& vcpu, std::uint32_t function) {
    return (function == pv_time_features || function == pv_time_st) && vcpu.stolen_time_ipa() != 0;
}

std::int64_t ask(const Vcpu& vcpu, std::uint32_t function) {
    switch (function) {
    case version:
    case features:
        return success;
    case soc_id:
        return firmware_arch_features(soc_id);
    case workaround_1:
        return branch_workaround(workaround_1, 1);
    case workaround_2:
        // The firmware switches it per CPU; no VM may do that to the others, so it stays on.
        return firmware_arch_features(workaround_2) == not_supported ? not_supported : not_required;
    case workaround_3:
        return branch_workaround(workaround_3, 3);
    default:
        return has_pv_time(vcpu, function) ? success : not_supported;
    }
}

/// Calls the firmware, if it has the function.
std::int64_t pass_on(std::uint32_t function, std::uint64_t argument) {
    return firmware_arch_features(function) >= 0 ? firmware_arch_call(function, argument)
                                                 : not_supported;
}

} // namespace

bool serve_arch(Vcpu& vcpu, std::uint32_t function) {
    auto& x = vcpu.registers.x;
    const auto argument = static_cast<std::uint32_t>(x[1]);
    switch (function) {
    case version:
        x[0] = smccc_1_3;
        return true;
    case features:
        x[0] = static_cast<std::uint64_t>(ask(vcpu, argument));
        return true;
    case soc_id:
        x[0] = static_cast<std::uint64_t>(pass_on(soc_id, argument));
        return true;
    case workaround_1:
    case workaround_3:
        (void)pass_on(function, 0);
        return true; // workarounds return nothing; x0 to x3 stay as they were
    default:
        return function == workaround_2;
    }
}

bool serve_pv_time(Vcpu& vcpu, std::uint32_t function) {
    auto& x = vcpu.registers.x;
    if (function == pv_time_features) {
        x[0] = static_cast<std::uint64_t>(
            has_pv_time(vcpu, static_cast<std::uint32_t>(x[1])) ? success : not_supported);
    } else if (function == pv_time_st) {
        x[0] = vcpu.publish_stolen_time() ? vcpu.stolen_time_ipa()
                                          : static_cast<std::uint64_t>(not_supported);
    } else {
        return false;
    }
    return true;
}

} // namespace hyp
