// SPDX-License-Identifier: BSD-3-Clause
// Relaxed accesses in one instruction: GCC computes the address for an atomic one first, not for a
// volatile one, although both are the same plain load or store (Arm ARM B2.2.1, single-copy
// atomicity).
#pragma once

#include <atomic>

namespace rt {

template <typename T>
[[nodiscard]] T load_relaxed(const T& value) {
#if defined(__aarch64__)
    return *const_cast<const volatile T*>(&value);
#else
    return __atomic_load_n(&value, __ATOMIC_RELAXED); // ThreadSanitizer sees what it is
#endif
}

template <typename T>
[[nodiscard]] T load_relaxed(const std::atomic<T>& value) {
    static_assert(sizeof(value) == sizeof(T) && std::atomic<T>::is_always_lock_free);
    return load_relaxed(*reinterpret_cast<const T*>(&value));
}

/// What is only changed under a lock, by this, may be looked at without it, by load_relaxed().
template <typename T>
void store_relaxed(T& to, T value) {
#if defined(__aarch64__)
    *const_cast<volatile T*>(&to) = value;
#else
    __atomic_store_n(&to, value, __ATOMIC_RELAXED);
#endif
}

} // namespace rt
