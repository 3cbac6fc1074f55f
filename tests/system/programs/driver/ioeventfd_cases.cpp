// SPDX-License-Identifier: BSD-3-Clause
// Which eventfd a write of the guest signals.
#include <algorithm>
#include <array>
#include <cerrno>
#include <random>

#include "cases.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"

namespace driver {
namespace {

using gunyah::EventFd;

Operation write_of(std::uint32_t length) {
    return static_cast<Operation>(length);
}

// Finding 13: v11 compares whether there is a value, not the value.
void matches_by_value() {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    const std::array<EventFd, 3> events;
    constexpr std::array<std::uint64_t, 3> values{0, 5, 6};
    for (std::size_t i = 0; i < events.size(); ++i) {
        expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD,
                                  ioeventfd_for(events[i].fd(), guest_device, 4, values[i])),
                     0, "one for each value");
    }
    expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD,
                              ioeventfd_for(events[0].fd(), guest_device, 4, 5)),
                 -EEXIST, "a value twice");
    guest.start();
    for (std::size_t i = 0; i < events.size(); ++i) {
        guest.perform(Operation::write_4, guest_device, values[i]);
        expect(guest.accesses().empty(), "a matching write comes back to the VMM");
        for (std::size_t other = 0; other < events.size(); ++other) {
            expect_equal(events[other].drain(), other == i, "signalled");
        }
    }
    guest.perform(Operation::write_4, guest_device, 7);
    expect_equal(static_cast<long>(guest.accesses().size()), 1, "a value that nobody waits for");
}

// Only the bytes that are written count.
void matches_as_many_bytes_as_are_written() {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    const EventFd event;
    expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD,
                              ioeventfd_for(event.fd(), guest_device, 2, 0xffff1234)),
                 0, "of two bytes");
    guest.start();
    guest.perform(Operation::write_2, guest_device, 0x1234);
    expect(event.drain(), "the low bytes match");
    guest.perform(Operation::write_4, guest_device, 0xffff1234);
    expect_equal(static_cast<long>(guest.accesses().size()), 1, "four bytes do not");
}

// Finding 14: no length, a length, and a length with a value, at one address.
void most_particular_one_is_first() {
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    const EventFd any;
    const EventFd four;
    const EventFd nine;
    expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD, ioeventfd(any.fd(), guest_device, 0)), 0,
                 "any length");
    expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD, ioeventfd(four.fd(), guest_device, 4)),
                 0, "four bytes");
    expect_equal(
        add_function(guest.vm(), GH_FN_IOEVENTFD, ioeventfd_for(nine.fd(), guest_device, 4, 9)), 0,
        "four bytes of value 9");
    guest.start();
    guest.perform(Operation::write_4, guest_device, 9);
    expect(nine.drain() && !four.drain() && !any.drain(), "9 goes to its own");
    guest.perform(Operation::write_4, guest_device, 8);
    expect(!nine.drain() && four.drain() && !any.drain(), "8 goes to that of its length");
    guest.perform(Operation::write_8, guest_device, 9);
    expect(!nine.drain() && !four.drain() && any.drain(), "8 bytes go to that of any length");
    expect(guest.accesses().empty(), "none comes back to the VMM");
}

// Finding 14: in v11's order some handlers hide others.
void each_of_many_is_found() {
    constexpr std::array<std::uint32_t, 4> lengths{1, 2, 4, 8};
    struct Entry {
        gh_fn_ioeventfd_arg argument;
        EventFd event;
    };
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    std::vector<Entry> entries(64);
    std::mt19937 random{7}; // NOLINT(bugprone-random-generator-seed): the same on every run
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const std::uint64_t address = guest_device + 16 * (i / 8);
        const std::uint32_t length = lengths.at(i % 4);
        entries[i].argument = i % 8 < 4
                                  ? ioeventfd(entries[i].event.fd(), address, length)
                                  : ioeventfd_for(entries[i].event.fd(), address, length, 100 + i);
    }
    std::shuffle(entries.begin(), entries.end(), random);
    for (const Entry& entry : entries) {
        expect_equal(add_function(guest.vm(), GH_FN_IOEVENTFD, entry.argument), 0, "adding");
    }
    guest.start();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto& argument = entries[i].argument;
        guest.perform(write_of(argument.len), argument.addr, argument.datamatch);
        for (std::size_t other = 0; other < entries.size(); ++other) {
            expect_equal(entries[other].event.drain(), other == i, "signalled");
        }
        expect(guest.accesses().empty(), "comes back to the VMM");
    }
    for (const Entry& entry : entries) {
        expect_equal(remove_function(guest.vm(), GH_FN_IOEVENTFD, entry.argument), 0, "removing");
        (void)entry.event.drain(); // it may have stood in for one removed before it
        guest.perform(write_of(entry.argument.len), entry.argument.addr, entry.argument.datamatch);
        expect(!entry.event.drain(), "a removed one is signalled");
    }
}

void broken_arguments_are_refused() {
    const FileDescriptor vm = create_vm();
    const EventFd event;
    const auto add = [&](const gh_fn_ioeventfd_arg& argument) {
        return add_function(vm.get(), GH_FN_IOEVENTFD, argument);
    };
    expect_equal(add(ioeventfd(event.fd(), guest_device, 3)), -EINVAL, "three bytes");
    expect_equal(add(ioeventfd(event.fd(), ~std::uint64_t{0}, 2)), -EINVAL, "beyond the end");
    expect_equal(add(ioeventfd_for(event.fd(), guest_device, 0, 1)), -EINVAL, "a value of no size");
    expect_equal(add(ioeventfd(-1, guest_device, 4)), -EBADF, "no descriptor");
    expect_equal(add(ioeventfd(vm.get(), guest_device, 4)), -EINVAL, "no eventfd");
    auto flags = ioeventfd(event.fd(), guest_device, 4);
    flags.flags = 2;
    expect_equal(add(flags), -EINVAL, "unknown flags");
}

constexpr std::array cases{
    Case{"ioeventfd_matches_by_value", matches_by_value},
    Case{"ioeventfd_matches_as_many_bytes_as_are_written", matches_as_many_bytes_as_are_written},
    Case{"ioeventfd_that_is_most_particular_is_first", most_particular_one_is_first},
    Case{"ioeventfd_each_of_many_is_found", each_of_many_is_found},
    Case{"ioeventfd_arguments_that_are_broken_are_refused", broken_arguments_are_refused},
};

} // namespace

std::span<const Case> ioeventfd_cases() {
    return cases;
}

} // namespace driver
