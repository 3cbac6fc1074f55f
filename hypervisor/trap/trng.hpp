// SPDX-License-Identifier: BSD-3-Clause
// True Random Number Generator firmware interface 1.0 (Arm DEN0098) for VMs.
#pragma once

#include <cstdint>

namespace hyp {

class Vcpu;

/// Serves TRNG_VERSION, FEATURES, GET_UUID and RND32/RND64; false for any other function.
[[nodiscard]] bool handle_trng(Vcpu& vcpu, std::uint32_t function);

} // namespace hyp
