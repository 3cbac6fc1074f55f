// SPDX-License-Identifier: BSD-3-Clause
// LeftoverRemover: a process that removes this one's sockets when it is gone, however it ended.
#pragma once

#include <string>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// A process in a sandbox cannot remove its own sockets, and a killed one cannot remove anything.
// The helper waits for the end of its connection and knows nothing else. Make it while there is one
// thread and no memory worth copying.
class LeftoverRemover {
public:
    LeftoverRemover(); // Throws gunyah::Error.
    LeftoverRemover(const LeftoverRemover&) = delete;
    LeftoverRemover& operator=(const LeftoverRemover&) = delete;
    // Waits until everything is removed.
    ~LeftoverRemover();

    // Removes `path` at the end, if it is still the same socket then. Throws gunyah::Error.
    void add(const std::string& path);
    // No path is taken any more, whoever sends one. Before the sandbox is entered.
    void seal();

private:
    gunyah::FileDescriptor connection_;
};

} // namespace vmm
