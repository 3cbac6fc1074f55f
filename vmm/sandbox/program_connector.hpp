// SPDX-License-Identifier: BSD-3-Clause
// ProgramConnector: a process that connects to programs' sockets for one that sees no files.
#pragma once

#include <cstdint>
#include <string>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// The helper knows one prefix of socket paths. All that can be asked of it is a number, so who runs
// the VMM's code reaches what the guest reaches anyway. It connects as the VMM's starter, whose
// programs listen there.
//
//   VMM --number (4 bytes)--> helper: connect(prefix_number) --a byte, and the socket if it is
//   connected--> VMM
//
// To be made as start_helper() says. One call at a time.
class ProgramConnector {
public:
    // `confined`: the helper makes no other system calls than it needs. Throws gunyah::Error.
    ProgramConnector(const std::string& prefix, bool confined);

    // A connection to who listens at `prefix`_`number`, which does not block; none if nobody does
    // or too many want to. Waits for the helper, which waits for nobody.
    [[nodiscard]] gunyah::FileDescriptor connect(std::uint32_t number) const;

private:
    gunyah::FileDescriptor connection_;
};

} // namespace vmm
