// SPDX-License-Identifier: BSD-3-Clause
// A guest that sleeps and counts its interrupts, and threads that ring for it: on the CPU of the
// vCPU's own thread the driver has them run the vCPU themselves.
#include <pthread.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
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

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t bell = 40;
constexpr std::size_t count_offset = 0x8000; // wakeup_program.S

class CountingGuest {
public:
    CountingGuest() {
        std::memcpy(guest_.memory().data(), wakeup_program_begin,
                    static_cast<std::size_t>(wakeup_program_end - wakeup_program_begin));
        auto interrupt = irqfd(event_.fd(), bell);
        interrupt.flags = GH_IRQFD_LEVEL; // it has no doorbell to read
        expect_equal(add_function(guest_.vm(), GH_FN_IRQFD, interrupt), 0, "an irqfd");
        guest_.start();
        owner_ = std::jthread{[this] { run(); }};
    }
    CountingGuest(const CountingGuest&) = delete;
    CountingGuest& operator=(const CountingGuest&) = delete;
    ~CountingGuest() { end(); }

    void ring() const { event_.signal(); }
    void interrupt_owner() { ::pthread_kill(owner_.native_handle(), SIGUSR1); }
    // While others may ring.
    void end() {
        if (owner_.joinable()) {
            (void)remove_vcpu(guest_.vm(), 0);
            owner_.join();
        }
    }

    // Whether the guest has got this ring, or one that comes later.
    [[nodiscard]] bool hears() const {
        const std::uint64_t before = count();
        const auto deadline = Clock::now() + 20s;
        ring();
        while (count() == before && Clock::now() < deadline) {
            std::this_thread::sleep_for(200us);
        }
        return count() != before;
    }

private:
    [[nodiscard]] std::uint64_t count() const {
        return *reinterpret_cast<const volatile std::uint64_t*>(guest_.memory().data() +
                                                                count_offset);
    }
    // Until the vCPU is removed.
    void run() const {
        stay_on_cpu(0);
        for (long done = 0; done == 0 || done == -EINTR;) {
            done = call(guest_.vcpu(), GH_VCPU_RUN);
        }
    }

    gunyah::EventFd event_;
    Guest guest_{Mapping::anonymous(2 * mebibyte), {.bell_label = bell}};
    std::jthread owner_;
};

std::uint64_t runs_by_ringers() {
    std::ifstream file{"/sys/kernel/debug/gunyah/vms"};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::smatch found;
    return std::regex_search(text, found, std::regex{"run_by_ringers (\\d+)"})
               ? std::stoull(found[1])
               : 0;
}

void run_a_sleeping_vcpu() {
    const CountingGuest guest;
    stay_on_cpu(0);
    for (int i = 0; i < 100; ++i) {
        expect(guest.hears(), "the guest does not hear ring " + std::to_string(i));
    }
    expect(runs_by_ringers() > 0, "no ringer has run the vCPU");
}

// Rings on both CPUs, signals to the vCPU's thread, and then the vCPU's end, all at any time.
void are_in_nobodys_way() {
    struct sigaction action{};
    action.sa_handler = [](int) {}; // without SA_RESTART
    ::sigaction(SIGUSR1, &action, nullptr);
    for (int i = 0; i < 15; ++i) {
        CountingGuest guest;
        std::array<std::jthread, 2> ringers;
        for (unsigned cpu = 0; cpu < ringers.size(); ++cpu) {
            ringers.at(cpu) = std::jthread{[&guest, cpu](const std::stop_token& stop) {
                stay_on_cpu(cpu);
                while (!stop.stop_requested()) {
                    guest.ring();
                    std::this_thread::sleep_for(std::chrono::microseconds{50 + 10 * cpu});
                }
            }};
        }
        const auto end = Clock::now() + 20ms;
        while (Clock::now() < end) {
            guest.interrupt_owner();
            std::this_thread::sleep_for(130us);
        }
        if (i % 2 == 0) {
            guest.end();
        }
        for (std::jthread& ringer : ringers) {
            ringer.request_stop();
            ringer.join();
        }
        expect(i % 2 == 0 || guest.hears(), "the guest does not hear any more");
    }
}

constexpr std::array cases{
    Case{"ringers_run_a_sleeping_vcpu", run_a_sleeping_vcpu},
    Case{"ringers_are_in_nobodys_way", are_in_nobodys_way},
};

} // namespace

std::span<const Case> ringer_cases() {
    return cases;
}

} // namespace driver
