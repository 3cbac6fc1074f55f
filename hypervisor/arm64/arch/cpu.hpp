// SPDX-License-Identifier: BSD-3-Clause
// Which physical CPU runs this code.
#pragma once

#include <arch/percpu.hpp>

namespace hyp {

inline constexpr unsigned max_cpus = 64;

/// 0 is the CPU that booted; the others are numbered in the order of the device tree.
inline unsigned cpu_index() {
    return arch::this_cpu().index;
}

} // namespace hyp
