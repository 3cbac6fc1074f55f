// SPDX-License-Identifier: BSD-3-Clause
// How many files this process may hold open.
#pragma once

#include <cstddef>

namespace vmm {

// Raises the limit as far as this user may. Returns how many descriptors the guest's requests may
// use: half, the others are the VMM's own.
std::size_t allow_open_files();

} // namespace vmm
