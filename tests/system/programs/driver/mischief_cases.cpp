// SPDX-License-Identifier: BSD-3-Clause
// Everything that may happen to a VMM and its guest, at moments that nobody chose. Afterwards
// everything is where it was, and the next guest starts.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"
#include "remains.hpp"

namespace driver {
namespace {

using namespace std::chrono_literals;
using Random = std::mt19937;

constexpr std::uint32_t bell = 40;
constexpr unsigned default_rounds = 25;
constexpr unsigned guests_at_once = 16;
constexpr std::uint64_t nowhere = 0x2000'0000;

enum class Kind : unsigned {
    kill,             // the VMM is killed
    stop,             // it stands still, and is killed then
    stop_and_go_on,   // it stands still for a while
    close_everything, // its descriptors are closed while its vCPU runs
    unload,           // somebody tries to unload the drivers
    crash,            // the guest makes one exception after the other
    power_off,
    reset,
    watchdog,
};
constexpr unsigned kinds = 9;
constexpr std::array<const char*, kinds> kind_names{
    "kill",  "stop",      "stop and go on", "close everything", "unload",
    "crash", "power off", "reset",          "watchdog"};

unsigned number_from(const char* name, unsigned otherwise) {
    const char* text = std::getenv(name);
    return text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 0)) : otherwise;
}

std::chrono::microseconds moment(Random& random, unsigned milliseconds) {
    return std::chrono::microseconds{random() % (milliseconds * 1000)};
}

// A guest from nothing to its end, in this process and with nothing of another's.
void run_guest_to_its_end() {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    guest.start();
    guest.perform(Operation::write_4, guest_device, 5);
    guest.perform(Operation::system_off);
    expect(guest.ended().has_value(), "the next guest does not end");
}

void expect_end(const Guest& guest, std::uint16_t type) {
    expect(guest.ended().has_value(), "the guest has not ended");
    expect_equal(guest.ended()->type, type, "how it ended");
}

// Somebody may be unloading the function's module at this moment; the next try loads it again.
template <typename Argument>
void bind_function(const Guest& guest, unsigned type, Argument argument, const char* what) {
    long result = add_function(guest.vm(), type, argument);
    for (int tries = 0; result == -ENOENT && tries < 100; ++tries) {
        std::this_thread::sleep_for(10ms);
        result = add_function(guest.vm(), type, argument);
    }
    expect_equal(result, 0, what);
}

// The VMM's life. Comes back only where the guest ends by itself.
void live(Random& random, Kind kind) {
    gunyah::EventFd event;
    Guest guest{random() % 2 != 0 ? Mapping::anonymous(2 * mebibyte) : Mapping::huge(4 * mebibyte),
                {.bell_label = bell, .lend = random() % 2 != 0, .watchdog = true}};
    bind_function(guest, GH_FN_IRQFD, irqfd(event.fd(), bell), "an irqfd");
    bind_function(guest, GH_FN_IOEVENTFD, ioeventfd(event.fd(), guest_device + 8, 4),
                  "an ioeventfd");
    guest.start();
    switch (kind) {
    case Kind::power_off:
        guest.perform(Operation::system_off);
        expect_end(guest, GH_VM_EXIT_TYPE_PSCI_POWER_OFF);
        return;
    case Kind::reset:
        guest.perform(Operation::system_reset);
        expect_end(guest, GH_VM_EXIT_TYPE_PSCI_SYSTEM_RESET);
        return;
    case Kind::watchdog:
        guest.perform(Operation::starve_watchdog, 0, 1 + random() % 30);
        expect_end(guest, GH_VM_EXIT_TYPE_WATCHDOG_BITE);
        return;
    case Kind::crash:
        guest.perform(Operation::jump, nowhere);
        return;
    default:
        break;
    }
    std::jthread closer;
    if (kind == Kind::close_everything) {
        closer = std::jthread{[wait = moment(random, 20)] {
            std::this_thread::sleep_for(wait);
            ::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
            // What the guest's vCPU is told by now is of no interest.
            std::this_thread::sleep_for(20ms);
            ::_exit(0);
        }};
    }
    for (;;) {
        guest.perform(Operation::count, guest_device + 8, 100);
        guest.perform(Operation::count, guest_device, 20);
        event.signal();
    }
}

[[noreturn]] void be_a_vmm(std::uint32_t seed, Kind kind) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        Random random{seed};
        live(random, kind);
    } catch (const std::exception& error) {
        if (kind == Kind::close_everything) {
            ::pause(); // the thread that closes ends it
        }
        std::fprintf(stderr, "%s: %s\n", kind_names.at(static_cast<unsigned>(kind)), error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

pid_t start_vmm(std::uint32_t seed, Kind kind) {
    const pid_t child = ::fork();
    if (child == 0) {
        be_a_vmm(seed, kind);
    }
    expect(child > 0, "no process");
    return child;
}

int reap(pid_t child) {
    int status = 0;
    expect_equal(::waitpid(child, &status, 0), child, "waitpid");
    return status;
}

void kill_vmm(pid_t child) {
    ::kill(child, SIGKILL);
    const int status = reap(child);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the VMM ended by itself");
}

// While there is a VM with a vCPU, what these need stays; functions' modules may go and come back.
void try_to_unload() {
    const FileDescriptor vm = create_vm();
    const FileDescriptor vcpu{static_cast<int>(add_vcpu(vm.get(), 0))};
    for (const char* name :
         {"gunyah_vcpu", "gunyah_rsc_mgr", "gunyah_msgq", "gunyah", "gunyah_hypercall"}) {
        expect(::syscall(SYS_delete_module, name, O_NONBLOCK) != 0,
               std::string{name} + " goes away under a VM");
    }
    for (const char* name : {"gunyah_irqfd", "gunyah_ioeventfd"}) {
        ::syscall(SYS_delete_module, name, O_NONBLOCK);
    }
}

void round(Random& random, Kind kind) {
    const pid_t vmm = start_vmm(static_cast<std::uint32_t>(random()), kind);
    switch (kind) {
    case Kind::close_everything:
    case Kind::power_off:
    case Kind::reset:
    case Kind::watchdog: {
        const int status = reap(vmm);
        expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the VMM failed");
        return;
    }
    default:
        break;
    }
    std::this_thread::sleep_for(moment(random, 120));
    if (kind == Kind::unload) {
        try_to_unload();
    } else if (kind == Kind::stop || kind == Kind::stop_and_go_on) {
        ::kill(vmm, SIGSTOP);
        std::this_thread::sleep_for(moment(random, 20));
        run_guest_to_its_end();
    }
    if (kind == Kind::stop_and_go_on) {
        ::kill(vmm, SIGCONT);
        std::this_thread::sleep_for(moment(random, 30));
    }
    kill_vmm(vmm);
}

void rounds_of_mischief() {
    const unsigned seed = number_from("GUNYAH_ROUNDS_SEED", std::random_device{}());
    const unsigned rounds = number_from("GUNYAH_ROUNDS", default_rounds);
    Random random{seed};
    const Remains before;
    for (unsigned i = 0; i < rounds; ++i) {
        // Each kind in turn, then at random.
        const auto kind = static_cast<Kind>((i < kinds ? i : random()) % kinds);
        const std::string where = "GUNYAH_ROUNDS_SEED=" + std::to_string(seed) + ", round " +
                                  std::to_string(i) + ", " +
                                  kind_names.at(static_cast<unsigned>(kind));
        try {
            round(random, kind);
        } catch (const Mismatch& mismatch) {
            throw Mismatch{where + ": " + mismatch.what()};
        }
        before.expect_same(where);
    }
    run_guest_to_its_end();
}

// Says by a byte that its guest runs.
[[noreturn]] void be_one_of_many(int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
        Guest guest{Mapping::anonymous(2 * mebibyte), {.bell_label = bell}};
        guest.start();
        guest.perform(Operation::write_4, guest_device, 1);
        if (::write(ready, "", 1) == 1) {
            guest.perform(Operation::spin);
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "one of many: %s\n", error.what());
    }
    ::_exit(1);
}

void sixteen_guests_killed_at_once() {
    const Remains before;
    std::array<int, 2> ends{};
    expect_equal(::pipe2(ends.data(), O_CLOEXEC), 0, "a pipe");
    std::array<pid_t, guests_at_once> all{};
    for (pid_t& each : all) {
        each = ::fork();
        if (each == 0) {
            be_one_of_many(ends[1]);
        }
        expect(each > 0, "no process");
        ::setpgid(each, all[0]);
    }
    for (unsigned i = 0; i < guests_at_once; ++i) {
        char byte = 0;
        expect_equal(::read(ends[0], &byte, 1), 1, "guests that run");
    }
    expect_equal(::kill(-all[0], SIGKILL), 0, "killing them all");
    for (const pid_t each : all) {
        const int status = reap(each);
        expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "a VMM ended by itself");
    }
    before.expect_same("sixteen guests");
    run_guest_to_its_end();
}

// Where hypervisor and Resource Manager have no more room for a VM, one is refused, and that is
// all.
void one_guest_too_many_is_refused() {
    constexpr std::size_t most = 300;
    std::vector<std::unique_ptr<Guest>> guests;
    long done = 0;
    while (done == 0 && guests.size() < most) {
        guests.push_back(std::make_unique<Guest>(Mapping::anonymous(2 * mebibyte)));
        done = start(guests.back()->vm());
    }
    expect_equal(done, -ENOMEM, "guest " + std::to_string(guests.size()));
}

constexpr std::array cases{
    Case{"one_guest_too_many_is_refused", one_guest_too_many_is_refused},
    Case{"rounds_of_mischief", rounds_of_mischief},
    Case{"sixteen_guests_killed_at_once", sixteen_guests_killed_at_once},
};

} // namespace

std::span<const Case> mischief_cases() {
    return cases;
}

} // namespace driver
