// SPDX-License-Identifier: BSD-3-Clause
// Lets AddressSanitizer see the hypervisor heap's idea of free memory.
#pragma once

#include <cstddef>

namespace hyp {

/// Any access to these bytes from now on is a bug.
void poison(void* start, std::size_t size);
/// They may be used again.
void unpoison(void* start, std::size_t size);

} // namespace hyp
