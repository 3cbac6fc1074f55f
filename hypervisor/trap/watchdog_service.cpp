// SPDX-License-Identifier: BSD-3-Clause
// The four functions that the public Gunyah watchdog driver of Linux (gunyah_wdt) calls by SMC.
#include "trap/services.hpp"
#include "vcpu/vcpu.hpp"
#include "vcpu/watchdog.hpp"

#include <abi/error.h>

namespace hyp {

namespace {

// SMC32 fast calls, owner 6.
constexpr std::uint32_t watchdog_control = 0x86000005; // x1: bit 0 enable, bit 1 must be set
constexpr std::uint32_t watchdog_status = 0x86000006;  // -> x1: bit 0 enabled, x2: ms since ping
constexpr std::uint32_t watchdog_ping = 0x86000007;
constexpr std::uint32_t watchdog_set_time = 0x86000008; // x1 bark, x2 bite, milliseconds

constexpr std::uint64_t control_enable = 1;
constexpr std::uint64_t control_reserved_one = 2;

Result<> control(Watchdog& watchdog, std::uint64_t flags) {
    RT_FAIL_IF((flags & ~control_enable) != control_reserved_one, Error::argument_invalid);
    watchdog.enable((flags & control_enable) != 0);
    return {};
}

} // namespace

bool serve_watchdog(Vcpu& vcpu, std::uint32_t function) {
    if (function < watchdog_control || function > watchdog_set_time) {
        return false;
    }
    auto& x = vcpu.registers.x;
    Watchdog* watchdog = vcpu.watchdog();
    if (watchdog == nullptr) {
        x[0] = ~std::uint64_t{0};
        return true;
    }
    Result<> result;
    if (function == watchdog_control) {
        result = control(*watchdog, static_cast<std::uint32_t>(x[1]));
    } else if (function == watchdog_set_time) {
        result =
            watchdog->set_times(static_cast<std::uint32_t>(x[1]), static_cast<std::uint32_t>(x[2]));
    } else if (function == watchdog_ping) {
        watchdog->ping();
    } else if (function == watchdog_status) {
        const Watchdog::Status status = watchdog->status();
        x[1] = status.enabled ? 1 : 0;
        x[2] = status.milliseconds;
    }
    x[0] = result ? GH_ERROR_OK : static_cast<std::uint64_t>(result.error());
    return true;
}

} // namespace hyp
