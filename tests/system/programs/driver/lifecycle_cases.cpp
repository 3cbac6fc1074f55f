// SPDX-License-Identifier: BSD-3-Clause
// Starts that fail or are interrupted, ends at every point, modules that are held.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "cases.hpp"
#include "guest.hpp"

namespace driver {
namespace {

// Whatever the VM has been through, none of these may wait.
void expect_answers(int vm, long region_result) {
    const Mapping memory = Mapping::anonymous(page);
    expect_equal(set_region(vm, 99, 4 * guest_base, memory.bytes()), region_result, "a region");
    const long vcpu = add_vcpu(vm, 5);
    expect(vcpu >= 0, "a vCPU is not added");
    ::close(static_cast<int>(vcpu));
    expect_equal(remove_vcpu(vm, 5), 0, "a vCPU is removed");
    expect_equal(start(vm), -ENODEV, "a second start");
}

// Findings 4 and 5.
void failed_start_leaves_nothing_locked() {
    const long before = locked_kib();
    {
        const FileDescriptor vm = create_vm();
        expect_equal(start(vm.get()), -EINVAL, "a start without memory and device tree");
        expect_answers(vm.get(), -EBUSY);
    }
    {
        const FileDescriptor vm = create_vm();
        const Mapping memory = Mapping::anonymous(2 * mebibyte);
        expect_equal(set_region(vm.get(), 0, guest_base, memory.bytes()), 0, "memory");
        expect_equal(set_tree(vm.get(), guest_base, 64 * 1024), 0, "a device tree of zeroes");
        expect_equal(start(vm.get()), -EINVAL, "a start with a device tree of zeroes");
        expect_answers(vm.get(), -EBUSY);
        expect_equal(locked_kib() - before, 0, "KiB locked after the failure");
    }
}

// Finding 5: memory was shared before the failure. A second parcel has no place in the guest.
void failed_start_gives_memory_back() {
    const long before = locked_kib();
    const Guest guest{Mapping::anonymous(2 * mebibyte)};
    const Mapping second = Mapping::anonymous(mebibyte);
    expect_equal(set_region(guest.vm(), 1, 2 * guest_base, second.bytes()), 0, "a second region");
    expect_equal(start(guest.vm()), -EOPNOTSUPP, "a start with it");
    expect_answers(guest.vm(), -EBUSY);
    expect_equal(locked_kib() - before, 0, "KiB locked after the failure");
}

// Finding 24: v11 hands the size on as 32 bits.
void device_tree_beyond_its_region_is_refused() {
    for (const std::uint64_t size :
         {(std::uint64_t{1} << 32) + page, std::uint64_t{4 * mebibyte}}) {
        const Guest guest{Mapping::anonymous(2 * mebibyte)};
        expect_equal(set_tree(guest.vm(), guest_base, size), 0, "the range is possible");
        expect_equal(start(guest.vm()), -EINVAL, "the region is smaller");
    }
}

// Findings 24 and 28: the sum wraps only after rounding up.
void device_tree_that_wraps_is_refused() {
    const FileDescriptor vm = create_vm();
    constexpr std::uint64_t end = ~std::uint64_t{0};
    expect_equal(set_tree(vm.get(), guest_base, 0), -EINVAL, "no size");
    expect_equal(set_tree(vm.get(), guest_base, end), -EOVERFLOW, "a size that cannot be rounded");
    expect_equal(set_tree(vm.get(), end - page + 1, 1), -EOVERFLOW, "rounded, it wraps");
    expect_equal(set_tree(vm.get(), end, page), -EOVERFLOW, "the sum wraps");
}

// Finding 10.
void create_then_close() {
    for (int i = 0; i < 50; ++i) {
        const FileDescriptor vm = create_vm();
        const Mapping memory = Mapping::anonymous(mebibyte);
        if (i % 2 == 0) {
            expect_equal(set_region(vm.get(), 0, guest_base, memory.bytes()), 0, "memory");
        }
    }
}

// Findings 16 and 24 leak kmalloc() memory; what a start needs comes back with the VM.
void starts_leave_no_kernel_memory() {
    constexpr int rounds = 40;
    KernelMemory memory;
    for (int i = 0; i < 2 * rounds; ++i) {
        if (i == rounds) {
            memory = {};
        }
        Guest guest{Mapping::anonymous(2 * mebibyte)};
        guest.start();
    }
    memory.expect_no_growth(1024, "start");
}

void ignore_alarm(int) {}

// As often as leaves a process time to get anywhere between two of them, however slow the kernel.
long signal_interval_us() {
    using Clock = std::chrono::steady_clock;
    Guest guest{Mapping::anonymous(2 * mebibyte)};
    const auto begin = Clock::now();
    guest.start();
    const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    return std::max<long>(300, whole.count() / 10);
}

// Finding 12: a start goes through a hail of signals, or has not begun.
void signals_do_not_break_a_start() {
    struct sigaction action{};
    action.sa_handler = ignore_alarm; // without SA_RESTART
    ::sigaction(SIGALRM, &action, nullptr);
    const long interval = signal_interval_us();
    int started = 0;
    for (int i = 0; i < 20; ++i) {
        Guest guest{Mapping::anonymous(2 * mebibyte)};
        const itimerval storm{.it_interval = {0, interval},
                              .it_value = {0, interval * (i + 1) / 10 + 50}};
        ::setitimer(ITIMER_REAL, &storm, nullptr);
        long done = start(guest.vm());
        while (done == -EINTR) {
            done = start(guest.vm());
        }
        expect_equal(done, 0, "the start under signals");
        guest.perform(Operation::write_4, guest_device, 5);
        expect_equal(static_cast<long>(guest.accesses().size()), 1, "the guest's writes");
        guest.close_vm();
        const itimerval calm{};
        ::setitimer(ITIMER_REAL, &calm, nullptr);
        ++started;
    }
    expect_equal(started, 20, "starts");
}

// Findings 18 and 19: nothing can be removed under a VM.
void modules_are_held_by_a_vm() {
    const auto unload = [](const char* name) {
        return ::syscall(SYS_delete_module, name, O_NONBLOCK) == 0 ? 0 : -errno;
    };
    const Guest guest{Mapping::anonymous(2 * mebibyte)};
    for (const char* name : {"gunyah_rsc_mgr", "gunyah_vcpu", "gunyah_msgq", "gunyah"}) {
        const long done = unload(name);
        expect(done == -EAGAIN || done == -EBUSY, std::string{name} + " goes away under a VM");
    }
}

constexpr std::array cases{
    Case{"failed_start_leaves_nothing_locked", failed_start_leaves_nothing_locked},
    Case{"failed_start_gives_memory_back", failed_start_gives_memory_back},
    Case{"device_tree_beyond_its_region_is_refused", device_tree_beyond_its_region_is_refused},
    Case{"device_tree_that_wraps_is_refused", device_tree_that_wraps_is_refused},
    Case{"create_then_close", create_then_close},
    Case{"starts_leave_no_kernel_memory", starts_leave_no_kernel_memory},
    Case{"signals_do_not_break_a_start", signals_do_not_break_a_start},
    Case{"modules_are_held_by_a_vm", modules_are_held_by_a_vm},
};

} // namespace

std::span<const Case> lifecycle_cases() {
    return cases;
}

} // namespace driver
