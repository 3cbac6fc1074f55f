// SPDX-License-Identifier: BSD-3-Clause
// Vm: the ioctls of a VM descriptor, and what their errors mean.
#include "libgunyah/vm.hpp"

#include <linux/gunyah.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <bit>
#include <cerrno>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace gunyah {
namespace {

Error memory_error(int error_number, std::size_t size) {
    const std::string failed = fmt::format("cannot give {} MiB of memory to the guest", size >> 20);
    switch (error_number) {
    case ENOMEM:
        return Error::from_errno(ENOMEM, failed, "the driver may not lock that much memory",
                                 "use a smaller --mem, raise the memlock limit (ulimit -l), or "
                                 "run as root");
    case EOPNOTSUPP:
        return Error::from_errno(EOPNOTSUPP, failed, "the hypervisor offers no memory extents");
    default:
        return Error::from_errno(error_number, failed);
    }
}

Error start_error(int error_number) {
    const std::string failed = "cannot start the guest";
    const std::string advice = "the kernel log (dmesg) names the request that failed";
    switch (error_number) {
    case EINVAL:
        return Error::from_errno(EINVAL, failed, "the Resource Manager refused its description",
                                 advice);
    case ENODEV:
        return Error::from_errno(ENODEV, failed, "the VM has failed before or has ended", advice);
    case ENOMEM:
        return Error::from_errno(ENOMEM, failed, "the hypervisor has no memory left for it",
                                 "stop another guest, or use a smaller --mem");
    case ETIMEDOUT:
        return Error::from_errno(ETIMEDOUT, failed, "the Resource Manager does not answer",
                                 "only a reset of the machine helps if that does not change");
    default:
        return Error::from_errno(error_number, failed, "", advice);
    }
}

} // namespace

void Vm::set_memory_region(std::uint32_t label, std::uint64_t guest_address,
                           const MemoryRegion& memory) {
    gh_userspace_memory_region region{};
    region.label = label;
    region.flags = GH_MEM_ALLOW_READ | GH_MEM_ALLOW_WRITE | GH_MEM_ALLOW_EXEC;
    region.guest_phys_addr = guest_address;
    region.memory_size = memory.bytes().size();
    region.userspace_addr = std::bit_cast<std::uintptr_t>(memory.bytes().data());
    // The driver pins all of it, which Linux before 6.5 does page by page where nothing is yet, and
    // a huge page at once where there is one. A wish: without it, the driver is only slower.
    ::madvise(memory.bytes().data(), memory.bytes().size(), MADV_POPULATE_WRITE);
    if (::ioctl(handle_->get(), GH_VM_SET_USER_MEM_REGION, &region) < 0) {
        throw memory_error(errno, memory.bytes().size());
    }
}

void Vm::set_device_tree(std::uint64_t guest_address, std::uint64_t window_size) {
    gh_vm_dtb_config config{};
    config.guest_phys_addr = guest_address;
    config.size = window_size;
    if (::ioctl(handle_->get(), GH_VM_SET_DTB_CONFIG, &config) < 0) {
        throw Error::from_errno(errno, "cannot set the guest's device tree");
    }
}

Vcpu Vm::add_vcpu(std::uint32_t id) {
    return {handle_, id};
}

IrqFd Vm::add_irqfd(std::uint32_t label, IrqTrigger trigger) {
    return {handle_, label, trigger};
}

IoEventFd Vm::add_ioeventfd(std::uint64_t address, std::uint32_t length,
                            std::optional<std::uint64_t> datamatch) {
    return {handle_, address, length, datamatch};
}

void Vm::start() {
    while (::ioctl(handle_->get(), GH_VM_START) < 0) {
        if (errno != EINTR) {
            throw start_error(errno);
        }
    }
}

} // namespace gunyah
