// SPDX-License-Identifier: BSD-3-Clause
// An eventfd that is bound to a doorbell, and what is left when either goes first.
#include <array>
#include <cerrno>

#include "cases.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"

namespace driver {
namespace {

using gunyah::EventFd;

constexpr std::uint32_t bell = 40;

// Finding 15: v11 leaves a freed entry in the eventfd's wait queue. The machine of this test
// poisons freed memory, so that a signal into it is fatal.
void removed_unarmed_is_not_called_any_more() {
    const EventFd event;
    {
        const FileDescriptor vm = create_vm();
        expect_equal(add_function(vm.get(), GH_FN_IRQFD, irqfd(event.fd(), bell)), 0, "adding");
        expect_equal(remove_function(vm.get(), GH_FN_IRQFD, irqfd(event.fd(), bell)), 0, "removal");
        event.signal();
        expect_equal(add_function(vm.get(), GH_FN_IRQFD, irqfd(event.fd(), bell)), 0, "once more");
    }
    for (int i = 0; i < 100; ++i) {
        event.signal();
    }
}

// Finding 15: no POLLHUP handling.
void survives_its_eventfd() {
    const FileDescriptor vm = create_vm();
    for (std::uint32_t i = 0; i < 20; ++i) {
        const EventFd event;
        expect_equal(add_function(vm.get(), GH_FN_IRQFD, irqfd(event.fd(), i)), 0, "adding");
        event.signal();
    }
    Guest guest{Mapping::anonymous(2 * mebibyte), {.bell_label = bell}};
    {
        const EventFd event;
        expect_equal(add_function(guest.vm(), GH_FN_IRQFD, irqfd(event.fd(), bell)), 0, "adding");
        guest.start();
        event.signal();
    }
    guest.perform(Operation::write_4, guest_device, 1);
}

// A signal from before the start reaches the guest's doorbell; with and without LEVEL.
void signalled_early_is_harmless() {
    for (const std::uint32_t flags : {0U, static_cast<std::uint32_t>(GH_IRQFD_LEVEL)}) {
        Guest guest{Mapping::anonymous(2 * mebibyte), {.bell_label = bell}};
        const EventFd event;
        auto argument = irqfd(event.fd(), bell);
        argument.flags = flags;
        expect_equal(add_function(guest.vm(), GH_FN_IRQFD, argument), 0, "adding");
        event.signal();
        guest.start();
        event.signal();
        guest.perform(Operation::write_4, guest_device, 1);
        expect_equal(remove_function(guest.vm(), GH_FN_IRQFD, argument), 0, "removal");
        event.signal();
        guest.perform(Operation::write_4, guest_device, 1);
    }
}

void broken_arguments_are_refused() {
    const FileDescriptor vm = create_vm();
    const EventFd event;
    const auto add = [&](const gh_fn_irqfd_arg& argument) {
        return add_function(vm.get(), GH_FN_IRQFD, argument);
    };
    expect_equal(add(irqfd(event.fd(), bell)), 0, "what is right");
    expect_equal(add(irqfd(event.fd(), bell)), -EEXIST, "the label again");
    expect_equal(add(irqfd(-1, bell + 1)), -EBADF, "no descriptor");
    expect_equal(add(irqfd(vm.get(), bell + 1)), -EINVAL, "no eventfd");
    auto flags = irqfd(event.fd(), bell + 1);
    flags.flags = 2;
    expect_equal(add(flags), -EINVAL, "unknown flags");
    expect_equal(add(irqfd(event.fd(), bell + 1)), 0, "another label after the refusals");
}

constexpr std::array cases{
    Case{"irqfd_removed_unarmed_is_not_called_any_more", removed_unarmed_is_not_called_any_more},
    Case{"irqfd_survives_its_eventfd", survives_its_eventfd},
    Case{"irqfd_signalled_early_is_harmless", signalled_early_is_harmless},
    Case{"irqfd_arguments_that_are_broken_are_refused", broken_arguments_are_refused},
};

} // namespace

std::span<const Case> irqfd_cases() {
    return cases;
}

} // namespace driver
