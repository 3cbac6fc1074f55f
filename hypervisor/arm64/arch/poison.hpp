// SPDX-License-Identifier: BSD-3-Clause
// Marks of free memory for a sanitizer; there is none at EL2, so these vanish.
#pragma once

#include <cstddef>

namespace hyp {

inline void poison(void*, std::size_t) {}
inline void unpoison(void*, std::size_t) {}

} // namespace hyp
