// SPDX-License-Identifier: BSD-3-Clause
// What a debug kernel can make go wrong: allocations, and messages of the Resource Manager.
#include <array>
#include <cerrno>
#include <chrono>
#include <vector>

#include "cases.hpp"
#include "faults.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"
#include "remains.hpp"
#include "stress.hpp"

namespace driver {
namespace {

constexpr std::size_t guest_size = 2 * mebibyte;
constexpr std::uint64_t tree_offset = guest_tree_address - guest_base;
constexpr std::uint64_t tree_size = 0x10000;
constexpr std::uint32_t label = 40;

// A VM's life up to its start, step by step.
class Life {
public:
    Life() {
        write_tree(memory_.bytes().subspan(tree_offset, tree_size),
                   {.base = guest_base, .bell_label = label});
    }

    static constexpr unsigned steps = 7;
    static constexpr unsigned tree_step = 2;
    static constexpr unsigned vcpu_step = 3;
    static constexpr unsigned start_step = 6;

    // The step's result; afterwards what it made is this object's.
    long step(unsigned number) {
        switch (number) {
        case 0:
            return keep(vm_, call(device_.get(), GH_CREATE_VM));
        case 1:
            return set_region(vm_.get(), 0, guest_base, memory_.bytes());
        case 2:
            return set_tree(vm_.get(), guest_base + tree_offset, tree_size);
        case 3:
            return keep(vcpu_, add_vcpu(vm_.get(), 0));
        case 4:
            return add_function(vm_.get(), GH_FN_IRQFD, irqfd(event_.fd(), label));
        case 5:
            return add_function(vm_.get(), GH_FN_IOEVENTFD,
                                ioeventfd(event_.fd(), guest_device, 4));
        default:
            return start(vm_.get());
        }
    }

    void end() {
        vcpu_ = FileDescriptor{};
        vm_ = FileDescriptor{};
    }

private:
    static long keep(FileDescriptor& place, long fd) {
        if (fd >= 0) {
            place = FileDescriptor{static_cast<int>(fd)};
        }
        return std::min(fd, 0L);
    }

    FileDescriptor device_ = open_device();
    gunyah::EventFd event_;
    Mapping memory_ = Mapping::anonymous(guest_size);
    FileDescriptor vm_;
    FileDescriptor vcpu_;
};

using Failures = std::array<unsigned, Life::steps>;

// One life, in which the n-th allocation fails. A step that failed is done again, and must work
// then; only a start is final. Whether there were as many allocations.
bool live(Allocation kind, unsigned n, Failures& failures) {
    Life life;
    const NthAllocation fault{kind, n};
    for (unsigned i = 0; i < Life::steps; ++i) {
        const long done = life.step(i);
        if (done == 0) {
            continue;
        }
        const std::string where = "step " + std::to_string(i) + ", allocation " + std::to_string(n);
        // An interrupt that cannot be mapped has an error of its own in a start.
        expect(done == -ENOMEM || (done == -ENXIO && i == Life::start_step),
               where + ": " + std::to_string(done));
        ++failures.at(i);
        expect_equal(life.step(i), i == Life::start_step ? -ENODEV : 0, where + " again");
    }
    life.end();
    return fault.done();
}

// Every n, until there are not so many any more.
Failures live_with_each_failing(Allocation kind) {
    const long locked = locked_kib();
    Failures failures{};
    unsigned n = 1;
    for (; live(kind, n, failures); ++n) {
        expect_equal(locked_kib() - locked, 0, "KiB locked after allocation " + std::to_string(n));
        expect_equal(interrupts_of_vcpus(), 0, "interrupts of vCPUs that are gone");
    }
    expect(n > 1, "nothing was allocated");
    return failures;
}

void every_allocation_of_a_life_fails_once() {
    const Failures of_objects = live_with_each_failing(Allocation::object);
    for (unsigned i = 0; i < Life::steps; ++i) {
        // A device tree's place is only noted.
        const bool allocates = i != Life::tree_step;
        expect(allocates == (of_objects.at(i) > 0), "step " + std::to_string(i) + " failed " +
                                                        std::to_string(of_objects.at(i)) +
                                                        " times");
    }
    expect(of_objects.at(Life::start_step) > 2, "a start hardly ever failed");
    // How many pages a life takes is another number each time, so that the vCPU's own may be left
    // out.
    live_with_each_failing(Allocation::page);
}

void random_calls_with_failing_allocations() {
    const FailingAllocations faults{5};
    play_random_games(true);
}

// Finding 11: the Resource Manager's messages about a VM's end are lost, one after the other. Each
// is waited for, but not for ever, and what there is to be given back is given back.
void lost_messages_hold_up_no_end() {
    using Clock = std::chrono::steady_clock;
    constexpr unsigned seconds = 10; // as this slow kernel needs them, and not a minute
    const ReplyLimit limit{seconds};
    // Reply to VM_STOP, VM_EXITED, reply to VM_RESET, VM_STATUS.
    for (unsigned spared = 0; spared < 4; ++spared) {
        const long locked = locked_kib();
        const auto begin = Clock::now();
        {
            Guest guest{Mapping::anonymous(guest_size)};
            guest.start();
            guest.perform(Operation::write_4, guest_device, 1);
            const SkippedCall loss{"gh_rm_received", spared};
            guest.close_vm();
            guest.close_vcpu();
        }
        expect(Clock::now() - begin < std::chrono::seconds{6 * seconds}, "the end took too long");
        expect_equal(locked_kib() - locked, 0, "KiB locked after a lost message");
    }
    Guest guest{Mapping::anonymous(guest_size)};
    guest.start();
    guest.perform(Operation::system_off);
    expect(guest.ended().has_value(), "afterwards no guest works");
}

constexpr std::array cases{
    Case{"every_allocation_of_a_life_fails_once", every_allocation_of_a_life_fails_once},
    Case{"random_calls_with_failing_allocations", random_calls_with_failing_allocations},
    Case{"lost_messages_hold_up_no_end", lost_messages_hold_up_no_end},
};

} // namespace

std::span<const Case> fault_cases() {
    return faults_are_possible() ? std::span<const Case>{cases} : std::span<const Case>{};
}

} // namespace driver
