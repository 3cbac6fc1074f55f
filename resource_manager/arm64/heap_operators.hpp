// SPDX-License-Identifier: BSD-3-Clause
// The heap behind operator new in the freestanding build.
#pragma once

#include "memory/heap.hpp"

namespace rm {

/// Give it memory before the first allocation.
Heap& own_heap();

} // namespace rm
