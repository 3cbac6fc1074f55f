// SPDX-License-Identifier: BSD-3-Clause
// The driver's ioctls with nothing in between.
#include "ioctls.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <bit>
#include <cerrno>

#include "runner.hpp"

namespace driver {

long call(int fd, unsigned long request, std::uintptr_t argument) {
    const int result = ::ioctl(fd, request, argument);
    return result < 0 ? -errno : result;
}

FileDescriptor open_device() {
    FileDescriptor device{::open("/dev/gunyah", O_RDWR | O_CLOEXEC)};
    expect(static_cast<bool>(device), "/dev/gunyah does not open");
    return device;
}

FileDescriptor create_vm() {
    const long vm = call(open_device().get(), GH_CREATE_VM);
    expect(vm >= 0, "GH_CREATE_VM fails");
    return FileDescriptor{static_cast<int>(vm)};
}

namespace {

long give_region(int vm, unsigned long request, std::uint32_t label, std::uint64_t guest_address,
                 std::span<const std::byte> memory, std::uint32_t flags) {
    const gh_userspace_memory_region region{
        .label = label,
        .flags = flags,
        .guest_phys_addr = guest_address,
        .memory_size = memory.size(),
        .userspace_addr = std::bit_cast<std::uintptr_t>(memory.data()),
    };
    return call(vm, request, std::bit_cast<std::uintptr_t>(&region));
}

} // namespace

long set_region(int vm, std::uint32_t label, std::uint64_t guest_address,
                std::span<const std::byte> memory, std::uint32_t flags) {
    return give_region(vm, GH_VM_SET_USER_MEM_REGION, label, guest_address, memory, flags);
}

long lend_region(int vm, std::uint32_t label, std::uint64_t guest_address,
                 std::span<const std::byte> memory, std::uint32_t flags) {
    return give_region(vm, GH_VM_ANDROID_LEND_USER_MEM, label, guest_address, memory, flags);
}

long set_tree(int vm, std::uint64_t guest_address, std::uint64_t size) {
    const gh_vm_dtb_config config{.guest_phys_addr = guest_address, .size = size};
    return call(vm, GH_VM_SET_DTB_CONFIG, std::bit_cast<std::uintptr_t>(&config));
}

long set_firmware(int vm, std::uint64_t guest_address, std::uint64_t size) {
    const gh_vm_firmware_config config{.guest_phys_addr = guest_address, .size = size};
    return call(vm, GH_VM_ANDROID_SET_FW_CONFIG, std::bit_cast<std::uintptr_t>(&config));
}

long start(int vm) {
    return call(vm, GH_VM_START);
}

long change_function(int vm, unsigned long request, std::uint32_t type,
                     std::span<const std::byte> argument) {
    const gh_fn_desc description{
        .type = type,
        .arg_size = static_cast<std::uint32_t>(argument.size()),
        .arg = std::bit_cast<std::uintptr_t>(argument.data()),
    };
    return call(vm, request, std::bit_cast<std::uintptr_t>(&description));
}

long add_vcpu(int vm, std::uint32_t id) {
    return add_function(vm, GH_FN_VCPU, gh_fn_vcpu_arg{.id = id});
}

long remove_vcpu(int vm, std::uint32_t id) {
    return remove_function(vm, GH_FN_VCPU, gh_fn_vcpu_arg{.id = id});
}

void stay_on_cpu(unsigned cpu) {
    cpu_set_t only{};
    CPU_SET(cpu, &only);
    (void)::sched_setaffinity(0, sizeof(only), &only);
}

gh_fn_ioeventfd_arg ioeventfd(int event, std::uint64_t address, std::uint32_t length) {
    gh_fn_ioeventfd_arg argument{};
    argument.addr = address;
    argument.len = length;
    argument.fd = event;
    return argument;
}

gh_fn_ioeventfd_arg ioeventfd_for(int event, std::uint64_t address, std::uint32_t length,
                                  std::uint64_t value) {
    gh_fn_ioeventfd_arg argument = ioeventfd(event, address, length);
    argument.datamatch = value;
    argument.flags = GH_IOEVENTFD_DATAMATCH;
    return argument;
}

gh_fn_irqfd_arg irqfd(int event, std::uint32_t label) {
    gh_fn_irqfd_arg argument{};
    argument.fd = static_cast<std::uint32_t>(event);
    argument.label = label;
    return argument;
}

} // namespace driver
