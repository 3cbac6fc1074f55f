// SPDX-License-Identifier: BSD-3-Clause
// Passt: the program passt as a guest's network, started and owned by the VMM.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "libgunyah/file_descriptor.hpp"
#include "net/port_forward.hpp"

namespace vmm {

// The child ends when the connection is closed, which happens with the VMM, however that ends; it
// is also killed by the kernel if the thread that started it ends first, and by this object.
class Passt {
public:
    // Starts it and waits until it serves. Make it before the sandbox closes: execve, and setuid to
    // nobody where the VMM is root. Throws gunyah::Error: not installed, or in passt's own words.
    explicit Passt(const std::vector<PortForward>& forwards);
    Passt(const Passt&) = delete;
    Passt& operator=(const Passt&) = delete;
    ~Passt();

    // The VMM's end of the connection; to be taken once.
    gunyah::FileDescriptor take_socket() { return std::move(socket_); }
    // What it has said on its standard error so far, in one line. Safe from any thread.
    [[nodiscard]] std::string last_words() const;

private:
    void wait_until_ready(int ready_fd);

    gunyah::FileDescriptor socket_;
    gunyah::FileDescriptor messages_; // the reading end of its standard error
    pid_t child_ = -1;
    gunyah::FileDescriptor process_; // a descriptor of it: signals reach nobody else
};

} // namespace vmm
