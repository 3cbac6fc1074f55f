// SPDX-License-Identifier: BSD-3-Clause
// Clang's thread-safety attributes under short names; they vanish with other compilers.
#pragma once

#if defined(__clang__)
#define RT_CAPABILITY(name) __attribute__((capability(name)))
#define RT_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define RT_GUARDED_BY(lock) __attribute__((guarded_by(lock)))
#define RT_REQUIRES(...) __attribute__((requires_capability(__VA_ARGS__)))
#define RT_EXCLUDES(...) __attribute__((locks_excluded(__VA_ARGS__)))
#define RT_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define RT_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define RT_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define RT_NO_ANALYSIS __attribute__((no_thread_safety_analysis))
#else
#define RT_CAPABILITY(name)
#define RT_SCOPED_CAPABILITY
#define RT_GUARDED_BY(lock)
#define RT_REQUIRES(...)
#define RT_EXCLUDES(...)
#define RT_ACQUIRE(...)
#define RT_RELEASE(...)
#define RT_TRY_ACQUIRE(...)
#define RT_NO_ANALYSIS
#endif
