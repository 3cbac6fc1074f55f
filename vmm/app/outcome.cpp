// SPDX-License-Identifier: BSD-3-Clause
// Outcome: from the Resource Manager's exit types to exit statuses.
#include "app/outcome.hpp"

#include <utility>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace vmm {

using gunyah::ExitType;
using gunyah::VmStopped;

namespace {

Outcome outcome_of_exit(ExitType type, std::uint64_t reason) {
    switch (type) {
    case ExitType::vm_exit:
    case ExitType::power_off:
        return {ExitStatus::powered_off, "the guest powered off"};
    case ExitType::reset:
    case ExitType::reset2:
        return {ExitStatus::reboot, "the guest asked for a reboot"};
    case ExitType::forced_stop:
        return {ExitStatus::stopped, "the guest was stopped by the Resource Manager"};
    case ExitType::watchdog_bite:
        return {ExitStatus::crashed, "the guest crashed: its watchdog was not served in time"};
    case ExitType::software_error:
        return {ExitStatus::crashed,
                fmt::format("the guest crashed: software error; the hypervisor's log says more "
                            "[exit type 5, reason {:#x}]",
                            reason)};
    case ExitType::hardware_error:
        return {ExitStatus::crashed,
                fmt::format("the guest crashed: asynchronous hardware error [exit type 6, reason "
                            "{:#x}]",
                            reason)};
    }
    return {ExitStatus::crashed, fmt::format("the guest ended in an unknown way [exit type {}, "
                                             "reason {:#x}]",
                                             static_cast<unsigned>(type), reason)};
}

} // namespace

Outcome outcome_of(const VmStopped& stopped) {
    switch (stopped.status) {
    case VmStopped::Status::exited:
        return outcome_of_exit(stopped.type, stopped.reason);
    case VmStopped::Status::load_failed:
        return {ExitStatus::not_started,
                "cannot start the guest: the hypervisor could not load it; see dmesg"};
    case VmStopped::Status::crashed:
        break;
    }
    return {ExitStatus::crashed, "the guest crashed: the kernel log (dmesg) says more"};
}

Outcome outcome_of(const gunyah::RunFailed& failed, unsigned vcpu) {
    const auto error =
        gunyah::Error::from_errno(failed.error_number, fmt::format("cannot run vCPU {}", vcpu), "",
                                  "the kernel log (dmesg) says more");
    return {ExitStatus::crashed, error.what()};
}

void OutcomeSlot::report(Outcome outcome) {
    const std::scoped_lock lock{mutex_};
    if (!outcome_) {
        outcome_ = std::move(outcome);
    }
}

std::optional<Outcome> OutcomeSlot::get() const {
    const std::scoped_lock lock{mutex_};
    return outcome_;
}

} // namespace vmm
