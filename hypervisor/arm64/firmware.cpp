// SPDX-License-Identifier: BSD-3-Clause
// PSCI SYSTEM_OFF and SYSTEM_RESET, and the Arm Architecture Service, by SMC.
#include "platform/firmware.hpp"

#include <arch/smccc.hpp>
#include <runtime/panic.hpp>

namespace hyp {

namespace {

constexpr std::uint32_t psci_system_off = 0x84000008;
constexpr std::uint32_t psci_system_reset = 0x84000009;
constexpr std::uint32_t psci_features = 0x8400000a;
constexpr std::uint32_t smccc_version = 0x80000000;
constexpr std::uint32_t smccc_arch_features = 0x80000001;

// Where SMCCC_VERSION may not be called, PSCI_FEATURES says so (DEN0028 appendix B).
bool has_arch_service() {
    constexpr std::int32_t smccc_1_1 = 0x10001;
    const auto call = [](std::uint32_t function, std::uint64_t argument) {
        return static_cast<std::int32_t>(arch::firmware_call(function, argument).x0);
    };
    return call(psci_features, smccc_version) >= 0 && call(smccc_version, 0) >= smccc_1_1;
}

} // namespace

void firmware_system_off() {
    arch::firmware_call(psci_system_off);
    rt::panic("the firmware refused PSCI SYSTEM_OFF");
}

void firmware_system_reset() {
    arch::firmware_call(psci_system_reset);
    rt::panic("the firmware refused PSCI SYSTEM_RESET");
}

std::int32_t firmware_arch_features(std::uint32_t function) {
    if (!has_arch_service()) {
        return -1;
    }
    return static_cast<std::int32_t>(arch::firmware_call(smccc_arch_features, function).x0);
}

std::int64_t firmware_arch_call(std::uint32_t function, std::uint64_t argument) {
    return static_cast<std::int64_t>(arch::firmware_call(function, argument).x0);
}

} // namespace hyp
