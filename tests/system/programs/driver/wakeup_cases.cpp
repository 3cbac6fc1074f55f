// SPDX-License-Identifier: BSD-3-Clause
// Guests that do little but wait: no wake-up of theirs gets lost, whatever sends it.
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "cases.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"

extern "C" {
extern const std::byte wakeup_program_begin[];
extern const std::byte wakeup_program_end[];
}

namespace driver {
namespace {

constexpr std::uint32_t bell = 40;
constexpr std::uint64_t ring = guest_device + 8;
constexpr std::size_t program_offset = 0x4000;
// Together more vCPUs than the machine has CPUs.
constexpr std::size_t guests = 2;
// Per round: a timer for each vCPU, an SGI to each, a doorbell.
constexpr unsigned wakeups_of_a_round = 5;
constexpr unsigned default_wakeups = 10'000;

// Waits for `from` and signals `to`, until it is told to end: on time of its own, so that the
// guest may be anywhere on its way to sleep.
class Bell {
public:
    Bell() : thread_{[this](const std::stop_token& stop) { answer(stop); }} {}
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    ~Bell() {
        thread_.request_stop();
        ::eventfd_write(from_.get(), 1);
    }

    [[nodiscard]] int from() const { return from_.get(); }
    [[nodiscard]] int to() const { return to_.fd(); }

private:
    void answer(const std::stop_token& stop) const {
        eventfd_t count = 0;
        while (::eventfd_read(from_.get(), &count) == 0 && !stop.stop_requested()) {
            to_.signal();
        }
    }

    FileDescriptor from_{::eventfd(0, EFD_CLOEXEC)}; // reading it waits
    gunyah::EventFd to_;
    std::jthread thread_;
};

// Runs vCPU 1 until the VM has ended: it makes no access that the VMM would have to serve.
void run_second(int vcpu) {
    while (call(vcpu, GH_VCPU_RUN) == -EINTR) {
    }
}

// Runs it to its end. Returns what was wrong.
std::string run_waiting_guest(std::uint64_t rounds) {
    const Bell answerer;
    Guest guest{Mapping::anonymous(2 * mebibyte),
                {.cpus = 2, .bell_label = bell, .watchdog = true}};
    std::memcpy(guest.memory().subspan(program_offset).data(), wakeup_program_begin,
                static_cast<std::size_t>(wakeup_program_end - wakeup_program_begin));
    auto interrupt = irqfd(answerer.to(), bell);
    interrupt.flags = GH_IRQFD_LEVEL;
    expect_equal(add_function(guest.vm(), GH_FN_IRQFD, interrupt), 0, "an irqfd");
    expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD, ioeventfd(answerer.from(), ring, 4)), 0,
                 "an ioeventfd");
    const FileDescriptor second{static_cast<int>(add_vcpu(guest.vm(), 1))};
    expect(second.get() >= 0, "vCPU 1");
    guest.start();
    const std::jthread runner{run_second, second.get()};
    guest.perform(Operation::jump, guest_base + program_offset, rounds);
    // It reports the rounds left now and then.
    const std::uint64_t left = guest.accesses().empty() ? rounds : guest.accesses().back().value;
    return guest.ended()->type == GH_VM_EXIT_TYPE_PSCI_POWER_OFF && left == 0
               ? ""
               : "it ended by " + std::to_string(guest.ended()->type) + " with about " +
                     std::to_string(left) + " of " + std::to_string(rounds) + " rounds left; ";
}

void no_wakeup_is_lost() {
    const char* wanted = std::getenv("GUNYAH_WAKEUPS");
    const std::uint64_t wakeups =
        wanted != nullptr ? std::strtoull(wanted, nullptr, 0) : default_wakeups;
    const std::uint64_t rounds = wakeups / (guests * wakeups_of_a_round) + 1;
    std::array<std::string, guests> wrong;
    {
        std::array<std::jthread, guests> threads;
        for (std::size_t i = 0; i < guests; ++i) {
            // All threads of the first are on one CPU, where who rings may run the vCPU.
            threads.at(i) = std::jthread{[rounds, on_one_cpu = i == 0, &said = wrong.at(i)] {
                try {
                    if (on_one_cpu) {
                        stay_on_cpu(0);
                    }
                    said = run_waiting_guest(rounds);
                } catch (const Mismatch& mismatch) {
                    said = mismatch.what();
                }
            }};
        }
    }
    for (const std::string& each : wrong) {
        expect(each.empty(), each);
    }
}

constexpr std::array cases{Case{"no_wakeup_is_lost", no_wakeup_is_lost}};

} // namespace

std::span<const Case> wakeup_cases() {
    return cases;
}

} // namespace driver
