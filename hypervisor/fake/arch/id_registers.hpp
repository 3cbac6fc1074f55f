// SPDX-License-Identifier: BSD-3-Clause
// Host stand-in: every field of every identification register is set.
#pragma once

#include <cstdint>

namespace hyp::arch {

/// The physical value of S3_0_C0_C<crm>_<op2>, crm 1..7, op2 0..7 (Arm ARM D18.3, table of ID
/// registers); reserved encodings read as zero there.
std::uint64_t read_id_register(unsigned crm, unsigned op2);

} // namespace hyp::arch
