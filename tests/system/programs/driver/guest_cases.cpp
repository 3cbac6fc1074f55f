// SPDX-License-Identifier: BSD-3-Clause
// A guest that runs: its end as the VMM sees it, and that no exit is lost.
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <thread>

#include "cases.hpp"
#include "guest.hpp"

namespace driver {
namespace {

void ignore_alarm(int) {}

// Finding 23: in v11 a signal hides an exit that has been taken.
void no_exit_is_lost_to_signals() {
    constexpr std::uint64_t writes = 400;
    struct sigaction action{};
    action.sa_handler = ignore_alarm; // without SA_RESTART
    ::sigaction(SIGALRM, &action, nullptr);
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    guest.start();
    const itimerval storm{.it_interval = {0, 500}, .it_value = {0, 500}};
    ::setitimer(ITIMER_REAL, &storm, nullptr);
    guest.perform(Operation::count, guest_device, writes);
    const itimerval calm{};
    ::setitimer(ITIMER_REAL, &calm, nullptr);
    expect_equal(static_cast<long>(guest.accesses().size()), writes, "writes");
    for (std::size_t i = 0; i < writes; ++i) {
        expect(guest.accesses()[i].value == i + 1, "write " + std::to_string(i + 1) + " is lost");
    }
    expect(guest.interruptions() > 0, "no signal came while it ran");
}

// Findings 11, 21 and 27: its end is told once and for all, with no more bytes than there are.
void end_is_told(Operation operation, std::uint16_t type) {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    guest.start();
    guest.perform(operation);
    for (int i = 0; i < 3; ++i) {
        expect(guest.ended().has_value(), "the VM has not ended");
        expect_equal(guest.ended()->type, type, "the type of its end");
        expect(guest.ended()->reason_size <= GH_VM_MAX_EXIT_REASON_SIZE, "too long a reason");
        guest.perform(Operation::spin);
    }
    expect_equal(start(guest.vm()), -ENODEV, "starting it again");
}

void power_off_is_told() {
    end_is_told(Operation::system_off, GH_VM_EXIT_TYPE_PSCI_POWER_OFF);
}

void reset_is_told() {
    end_is_told(Operation::system_reset, GH_VM_EXIT_TYPE_PSCI_SYSTEM_RESET);
}

// Finding 11: closing what runs ends it, and everything comes back (the counters say so).
void is_stopped_while_it_runs() {
    for (int i = 0; i < 10; ++i) {
        Guest guest{Mapping::anonymous(2 * mebibyte)};
        guest.start();
        std::string left_with;
        {
            std::jthread runner{[&guest, &left_with] {
                try {
                    guest.perform(Operation::spin);
                } catch (const Mismatch& mismatch) {
                    left_with = mismatch.what(); // GH_VCPU_RUN: ENODEV
                }
            }};
            std::this_thread::sleep_for(std::chrono::milliseconds{5 * i});
            expect_equal(remove_vcpu(guest.vm(), 0), 0, "removing a vCPU that runs");
        }
        expect(!left_with.empty(), "the vCPU still runs");
    }
}

constexpr std::array cases{
    Case{"guest_loses_no_exit_to_signals", no_exit_is_lost_to_signals},
    Case{"guest_power_off_is_told", power_off_is_told},
    Case{"guest_reset_is_told", reset_is_told},
    Case{"guest_is_stopped_while_it_runs", is_stopped_while_it_runs},
};

} // namespace

std::span<const Case> guest_cases() {
    return cases;
}

} // namespace driver
