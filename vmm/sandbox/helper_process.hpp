// SPDX-License-Identifier: BSD-3-Clause
// start_helper(): a process beside the VMM that keeps the starter's user and files.
#pragma once

#include <functional>

#include "libgunyah/file_descriptor.hpp"

namespace vmm {

// What a helper does: requests come and answers go through its standard input, a SOCK_SEQPACKET
// socket; it ends when it returns. It has no other descriptors, not even stderr.
using HelperTask = std::function<void()>;

// Starts it under the name `name` (at most 15 characters); the signals of the starter's terminal do
// not end it. Make it while there is one thread and no memory worth copying. The helper sees the
// end of its connection when this process ends. Throws gunyah::Error.
gunyah::FileDescriptor start_helper(const char* name, const HelperTask& task);

} // namespace vmm
