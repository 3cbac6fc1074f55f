// SPDX-License-Identifier: BSD-3-Clause
// Where the hypervisor's image is in EL2's address space (arch/el2_layout.hpp).
#pragma once

#include <cstdint>

namespace hyp::arch {

/// Chooses the address, by a seed in the device tree or the machine's own entropy, and adjusts the
/// image to it: image_base itself where there is neither. Once, with the MMU off.
std::uint64_t place_image(const void* device_tree);

} // namespace hyp::arch
