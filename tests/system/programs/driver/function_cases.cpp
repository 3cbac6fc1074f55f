// SPDX-License-Identifier: BSD-3-Clause
// GH_VM_ADD_FUNCTION and GH_VM_REMOVE_FUNCTION with what is broken, unknown, or at the same time.
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <fstream>
#include <thread>

#include "cases.hpp"
#include "guest.hpp"
#include "libgunyah/event_fd.hpp"

namespace driver {
namespace {

constexpr const char* modprobe_setting = "/proc/sys/kernel/modprobe";

// Finding 6: in v11 the second call leaves a lock held.
void duplicate_leaves_nothing_locked() {
    const FileDescriptor vm = create_vm();
    const FileDescriptor first{static_cast<int>(add_vcpu(vm.get(), 0))};
    expect(static_cast<bool>(first), "the first vCPU");
    expect_equal(add_vcpu(vm.get(), 0), -EEXIST, "the same vCPU again");
    const FileDescriptor second{static_cast<int>(add_vcpu(vm.get(), 1))};
    expect(static_cast<bool>(second), "another vCPU after the refusal");
    expect_equal(remove_vcpu(vm.get(), 0), 0, "removal");
    const FileDescriptor again{static_cast<int>(add_vcpu(vm.get(), 0))};
    expect(static_cast<bool>(again), "the first vCPU once more");
}

class ModprobeSetting {
public:
    explicit ModprobeSetting(const std::string& program) {
        std::getline(std::ifstream{modprobe_setting}, before_);
        std::ofstream{modprobe_setting} << program << '\n';
    }
    ModprobeSetting(const ModprobeSetting&) = delete;
    ModprobeSetting& operator=(const ModprobeSetting&) = delete;
    ~ModprobeSetting() { std::ofstream{modprobe_setting} << before_ << '\n'; }

private:
    std::string before_;
};

// Finding 9: modprobe's exit status is positive, and v11 takes it for an address.
void unknown_type_is_not_found() {
    const FileDescriptor vm = create_vm();
    const gh_fn_vcpu_arg argument{};
    expect_equal(add_function(vm.get(), 4711, argument), -ENOENT, "with the system's modprobe");
    for (const char* program : {"/bin/false", "/bin/true", "/nowhere"}) {
        const ModprobeSetting setting{program};
        expect_equal(add_function(vm.get(), 4712, argument), -ENOENT, program);
    }
    expect_equal(add_function(vm.get(), 0, argument), -ENOENT, "type 0");
    expect_equal(add_function(vm.get(), ~0U, argument), -ENOENT, "the last type");
}

long describe(int vm, unsigned long request, std::uint32_t size, std::uint64_t argument) {
    const gh_fn_desc description{.type = GH_FN_IRQFD, .arg_size = size, .arg = argument};
    return call(vm, request, std::bit_cast<std::uintptr_t>(&description));
}

// Finding 16. `8` is an address where nothing is.
void broken_descriptions_are_refused() {
    const FileDescriptor vm = create_vm();
    for (const unsigned long request :
         {static_cast<unsigned long>(GH_VM_ADD_FUNCTION), GH_VM_REMOVE_FUNCTION}) {
        expect_equal(call(vm.get(), request, 8), -EFAULT, "no description");
        expect_equal(describe(vm.get(), request, 16, 8), -EFAULT, "no argument");
        expect_equal(describe(vm.get(), request, GH_FN_MAX_ARG_SIZE + 1, 8), -EINVAL, "257 bytes");
        expect_equal(describe(vm.get(), request, ~0U, 8), -EINVAL, "4 GiB");
    }
    expect_equal(describe(vm.get(), GH_VM_ADD_FUNCTION, 0, 0), -EINVAL, "an empty argument");
    const std::uint64_t short_one = 0;
    expect_equal(add_function(vm.get(), GH_FN_VCPU, short_one), -EINVAL, "a vCPU of 8 bytes");
    expect_equal(add_function(vm.get(), GH_FN_IOEVENTFD, short_one), -EINVAL, "too short");
}

// Finding 16: v11 loses the descriptor that it has allocated.
void refused_removal_leaves_no_kernel_memory() {
    constexpr int rounds = 20'000;
    const FileDescriptor vm = create_vm();
    const KernelMemory memory;
    for (int i = 0; i < rounds; ++i) {
        expect_equal(describe(vm.get(), GH_VM_REMOVE_FUNCTION, GH_FN_MAX_ARG_SIZE, 8), -EFAULT,
                     "no argument");
    }
    memory.expect_no_growth(1024, "refusal");
}

// Findings 6 and 7: v11's lock was never initialised, so that the first wait for it is fatal.
void added_and_removed_by_many_threads() {
    const FileDescriptor vm = create_vm();
    const gunyah::EventFd event;
    std::array<std::string, 4> wrong;
    {
        std::array<std::jthread, 4> threads;
        for (std::size_t i = 0; i < threads.size(); ++i) {
            threads[i] = std::jthread{[&vm, &event, &mine = wrong[i], i] {
                for (std::uint32_t round = 0; round < 100; ++round) {
                    const auto bell =
                        irqfd(event.fd(), static_cast<std::uint32_t>(i * 100) + round);
                    const auto door = ioeventfd(event.fd(), 0x1000 * (i + 1), 4);
                    if (add_function(vm.get(), GH_FN_IRQFD, bell) != 0 ||
                        add_function(vm.get(), GH_FN_IOEVENTFD, door) != 0 ||
                        remove_function(vm.get(), GH_FN_IOEVENTFD, door) != 0) {
                        mine = "a call failed";
                    }
                }
            }};
        }
    }
    for (const std::string& mine : wrong) {
        expect(mine.empty(), mine);
    }
}

void unknown_ioctls_are_refused() {
    const FileDescriptor device = open_device();
    const FileDescriptor vm = create_vm();
    const FileDescriptor vcpu{static_cast<int>(add_vcpu(vm.get(), 0))};
    expect_equal(call(device.get(), GH_CREATE_VM, 1), -EINVAL, "GH_CREATE_VM with an argument");
    expect_equal(call(device.get(), GH_VM_START), -ENOTTY, "an ioctl of a VM on the device");
    expect_equal(call(vm.get(), GH_CREATE_VM), -ENOTTY, "an ioctl of the device on a VM");
    expect_equal(call(vm.get(), _IO(GH_IOCTL_TYPE, 0xff)), -ENOTTY, "an unknown one on a VM");
    expect_equal(call(vcpu.get(), _IO(GH_IOCTL_TYPE, 0xff)), -EINVAL, "an unknown one on a vCPU");
}

constexpr std::array cases{
    Case{"function_duplicate_leaves_nothing_locked", duplicate_leaves_nothing_locked},
    Case{"function_of_unknown_type_is_not_found", unknown_type_is_not_found},
    Case{"function_descriptions_that_are_broken_are_refused", broken_descriptions_are_refused},
    Case{"function_removal_refused_leaves_no_kernel_memory",
         refused_removal_leaves_no_kernel_memory},
    Case{"functions_added_and_removed_by_many_threads", added_and_removed_by_many_threads},
    Case{"ioctls_that_are_unknown_are_refused", unknown_ioctls_are_refused},
};

} // namespace

std::span<const Case> function_cases() {
    return cases;
}

} // namespace driver
