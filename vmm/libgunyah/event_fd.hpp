// SPDX-License-Identifier: BSD-3-Clause
// EventFd: a counter file descriptor that one thread signals and another one drains.
#pragma once

#include "libgunyah/file_descriptor.hpp"

namespace gunyah {

// signal() and drain() may be called from any thread; neither blocks.
class EventFd {
public:
    EventFd(); // Throws Error when descriptors or memory run out.

    void signal() const;
    // Takes all signals that are there; true if there was at least one.
    bool drain() const; // NOLINT(modernize-use-nodiscard): often only emptying is wanted
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    FileDescriptor fd_;
};

} // namespace gunyah
