// SPDX-License-Identifier: BSD-3-Clause
// PSCI SYSTEM_OFF and SYSTEM_RESET by SMC.
#include "platform/firmware.hpp"

#include <arch/smccc.hpp>
#include <runtime/panic.hpp>

namespace hyp {

namespace {

constexpr std::uint32_t psci_system_off = 0x84000008;
constexpr std::uint32_t psci_system_reset = 0x84000009;

} // namespace

void firmware_system_off() {
    arch::firmware_call(psci_system_off);
    rt::panic("the firmware refused PSCI SYSTEM_OFF");
}

void firmware_system_reset() {
    arch::firmware_call(psci_system_reset);
    rt::panic("the firmware refused PSCI SYSTEM_RESET");
}

} // namespace hyp
