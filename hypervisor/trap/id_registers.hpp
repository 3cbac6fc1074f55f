// SPDX-License-Identifier: BSD-3-Clause
// What a VM sees of the CPU's identification registers: an allow-list of fields.
#pragma once

#include "vcpu/guest_features.hpp"

#include <cstdint>

namespace hyp {

/// The value for a vCPU with `features` of S3_0_C0_C<crm>_<op2>, given the physical one. Fields
/// that are not listed read as "not implemented".
[[nodiscard]] std::uint64_t guest_id_register(unsigned crm, unsigned op2, std::uint64_t physical,
                                              GuestFeatures features);

} // namespace hyp
