// SPDX-License-Identifier: BSD-3-Clause
// The seeds that the firmware left in the device tree.
#pragma once

#include "boot/machine.hpp"

namespace hyp {

/// Takes /chosen/rng-seed and kaslr-seed for the generator, erases them in memory, and puts fresh
/// ones (zeros without a seeded generator) into `copy`, which VMs are given.
void take_random_seeds(const Machine& machine, void* copy);

} // namespace hyp
