// SPDX-License-Identifier: BSD-3-Clause
// Tests of Outcome: which exit status each end of a guest has.
#include "app/outcome.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace vmm {
namespace {

using gunyah::ExitType;
using gunyah::VmStopped;
using Status = VmStopped::Status;

ExitStatus status_of(Status status, ExitType type) {
    return outcome_of(VmStopped{status, type, 0}).status;
}

TEST(Outcome, FollowsTheExitType) {
    EXPECT_EQ(status_of(Status::exited, ExitType::vm_exit), ExitStatus::powered_off);
    EXPECT_EQ(status_of(Status::exited, ExitType::power_off), ExitStatus::powered_off);
    EXPECT_EQ(status_of(Status::exited, ExitType::reset), ExitStatus::reboot);
    EXPECT_EQ(status_of(Status::exited, ExitType::reset2), ExitStatus::reboot);
    EXPECT_EQ(status_of(Status::exited, ExitType::watchdog_bite), ExitStatus::crashed);
    EXPECT_EQ(status_of(Status::exited, ExitType::software_error), ExitStatus::crashed);
    EXPECT_EQ(status_of(Status::exited, ExitType::hardware_error), ExitStatus::crashed);
    EXPECT_EQ(status_of(Status::exited, ExitType::forced_stop), ExitStatus::stopped);
    EXPECT_EQ(status_of(Status::exited, static_cast<ExitType>(99)), ExitStatus::crashed);
}

TEST(Outcome, OnlyAnExitedVmHasAnExitType) {
    EXPECT_EQ(status_of(Status::load_failed, ExitType::power_off), ExitStatus::not_started);
    EXPECT_EQ(status_of(Status::crashed, ExitType::power_off), ExitStatus::crashed);
    EXPECT_EQ(status_of(static_cast<Status>(9), ExitType::power_off), ExitStatus::crashed);
}

TEST(Outcome, AFailedRunNamesTheError) {
    const Outcome outcome = outcome_of(gunyah::RunFailed{ENODEV}, 3);
    EXPECT_EQ(outcome.status, ExitStatus::crashed);
    EXPECT_NE(outcome.sentence.find("vCPU 3"), std::string::npos);
    EXPECT_NE(outcome.sentence.find("[ENODEV 19]"), std::string::npos);
}

TEST(OutcomeSlot, KeepsTheFirstReport) {
    OutcomeSlot slot;
    EXPECT_FALSE(slot.get().has_value());
    slot.report({ExitStatus::reboot, "first"});
    slot.report({ExitStatus::crashed, "second"});
    EXPECT_EQ(slot.get()->status, ExitStatus::reboot);
}

} // namespace
} // namespace vmm
