// SPDX-License-Identifier: BSD-3-Clause
// SignalDescriptor: signals that arrive at a descriptor for the event loop.
#pragma once

#include <initializer_list>
#include <string>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// Make it before the first thread: the signals must be blocked in all of them. Also makes writes to
// a closed pipe an error instead of the end of the process.
class SignalDescriptor {
public:
    explicit SignalDescriptor(std::initializer_list<int> signals); // Throws gunyah::Error.

    [[nodiscard]] int fd() const { return fd_.get(); }
    // Takes one signal and says its name.
    [[nodiscard]] std::string take() const;

private:
    gunyah::FileDescriptor fd_;
};

} // namespace vmm
