// SPDX-License-Identifier: BSD-3-Clause
// Has a new kernel take the place of the running one.
#pragma once

#include <string>

namespace driver {

// With this kernel's command line and device tree. Comes back only if it fails, and says why.
std::string kexec(const std::string& kernel, const std::string& initrd);

// The same, if this kernel panics, in the memory that it has reserved for that (crashkernel=). Says
// why that is not possible, or nothing.
std::string kexec_on_panic(const std::string& kernel, const std::string& initrd);

} // namespace driver
