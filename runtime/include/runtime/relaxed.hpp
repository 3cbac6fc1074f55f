// SPDX-License-Identifier: BSD-3-Clause
// A relaxed load in one instruction: GCC computes the address for an atomic one first, not for a
// volatile one, although both are the same plain load (Arm ARM B2.2.1, single-copy atomicity).
#pragma once

#include <atomic>

namespace rt {

template <typename T>
[[nodiscard]] T load_relaxed(const std::atomic<T>& value) {
    static_assert(sizeof(value) == sizeof(T) && std::atomic<T>::is_always_lock_free);
    return *reinterpret_cast<const volatile T*>(&value);
}

} // namespace rt
