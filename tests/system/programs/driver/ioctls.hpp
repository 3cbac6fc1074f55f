// SPDX-License-Identifier: BSD-3-Clause
// The driver's ioctls with nothing in between: a result, or -errno.
#pragma once

#include <linux/gunyah.h>

#include <cstdint>
#include <span>

#include "libgunyah/file_descriptor.hpp"

namespace driver {

using gunyah::FileDescriptor;

constexpr std::uint32_t rwx = GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE | GH_MEM_ALLOW_EXEC;

long call(int fd, unsigned long request, std::uintptr_t argument = 0);

// Throw Mismatch when they cannot.
FileDescriptor open_device();
FileDescriptor create_vm();

long set_region(int vm, std::uint32_t label, std::uint64_t guest_address,
                std::span<const std::byte> memory, std::uint32_t flags = rwx);
// The same with GH_VM_ANDROID_LEND_USER_MEM.
long lend_region(int vm, std::uint32_t label, std::uint64_t guest_address,
                 std::span<const std::byte> memory, std::uint32_t flags = rwx);
long set_tree(int vm, std::uint64_t guest_address, std::uint64_t size);
long set_firmware(int vm, std::uint64_t guest_address, std::uint64_t size);
long start(int vm);

// `argument`: one of struct gh_fn_*_arg.
long change_function(int vm, unsigned long request, std::uint32_t type,
                     std::span<const std::byte> argument);
template <typename Argument>
long add_function(int vm, std::uint32_t type, const Argument& argument) {
    return change_function(vm, GH_VM_ADD_FUNCTION, type, std::as_bytes(std::span{&argument, 1}));
}
template <typename Argument>
long remove_function(int vm, std::uint32_t type, const Argument& argument) {
    return change_function(vm, GH_VM_REMOVE_FUNCTION, type, std::as_bytes(std::span{&argument, 1}));
}

long add_vcpu(int vm, std::uint32_t id); // a descriptor, to be owned by the caller
long remove_vcpu(int vm, std::uint32_t id);

// The calling thread, and those that it starts. Does nothing where there is no such CPU.
void stay_on_cpu(unsigned cpu);

gh_fn_ioeventfd_arg ioeventfd(int event, std::uint64_t address, std::uint32_t length);
gh_fn_ioeventfd_arg ioeventfd_for(int event, std::uint64_t address, std::uint32_t length,
                                  std::uint64_t value);
gh_fn_irqfd_arg irqfd(int event, std::uint32_t label);

} // namespace driver
