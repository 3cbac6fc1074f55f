// SPDX-License-Identifier: BSD-3-Clause
// Device: opens /dev/gunyah and creates VMs.
#include "libgunyah/device.hpp"

#include <fcntl.h>
#include <linux/gunyah.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <memory>

#include <fmt/format.h>

#include "libgunyah/error.hpp"

namespace gunyah {

Device Device::open(const char* path) {
    FileDescriptor fd{::open(path, O_RDWR | O_CLOEXEC)};
    if (fd) {
        return Device{std::move(fd)};
    }
    const int error_number = errno;
    const std::string failed = fmt::format("cannot open {}", path);
    switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        throw Error::from_errno(error_number, failed, "there is no Gunyah driver",
                                "load the module gunyah_rsc_mgr, and check in dmesg that this "
                                "machine runs under Gunyah");
    case EACCES:
    case EPERM:
        throw Error::from_errno(error_number, failed, "this user may not use it",
                                "run as root, or change the owner of the device");
    default:
        throw Error::from_errno(error_number, failed);
    }
}

Vm Device::create_vm() const {
    FileDescriptor vm{::ioctl(fd_.get(), GH_CREATE_VM, 0)};
    if (!vm) {
        throw Error::from_errno(errno, "cannot create a VM", "",
                                "the kernel log (dmesg) has the Resource Manager's answer");
    }
    return Vm{std::make_shared<const FileDescriptor>(std::move(vm))};
}

} // namespace gunyah
