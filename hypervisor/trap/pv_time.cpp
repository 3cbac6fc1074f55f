// SPDX-License-Identifier: BSD-3-Clause
// The two calls of Arm DEN0057; Vcpu counts and writes the stolen time.
#include "trap/services.hpp"
#include "vcpu/vcpu.hpp"

namespace hyp {

namespace {

// DEN0057 section 3.
constexpr std::uint32_t pv_time_features = 0xc5000020;
constexpr std::uint32_t pv_time_st = 0xc5000021;

constexpr std::uint64_t not_supported = ~std::uint64_t{0};

} // namespace

bool has_pv_time(const Vcpu& vcpu, std::uint32_t function) {
    return (function == pv_time_features || function == pv_time_st) && vcpu.stolen_time_ipa() != 0;
}

bool serve_pv_time(Vcpu& vcpu, std::uint32_t function) {
    auto& x = vcpu.registers.x;
    if (function == pv_time_features) {
        x[0] = has_pv_time(vcpu, function) && has_pv_time(vcpu, static_cast<std::uint32_t>(x[1]))
                   ? 0
                   : not_supported;
    } else if (function == pv_time_st) {
        x[0] = vcpu.publish_stolen_time() ? vcpu.stolen_time_ipa() : not_supported;
    } else {
        return false;
    }
    return true;
}

} // namespace hyp
