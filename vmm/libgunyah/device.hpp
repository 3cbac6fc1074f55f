// SPDX-License-Identifier: BSD-3-Clause
// Device: the way in, /dev/gunyah.
#pragma once

#include "libgunyah/file_descriptor.hpp"
#include "libgunyah/vm.hpp"

namespace gunyah {

class Device {
public:
    // Throws Error with the likely cause: no device, no permission.
    static Device open(const char* path = "/dev/gunyah");

    // An empty VM. Throws Error.
    [[nodiscard]] Vm create_vm() const;

private:
    explicit Device(FileDescriptor fd) : fd_{std::move(fd)} {}

    FileDescriptor fd_;
};

} // namespace gunyah
